import type { IdPrefix } from '@cloutagent/contract';
import type { Clock } from './clock.ts';

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** `prefix_` and a UUIDv7 in 32 hex digits: sorts by time of creation (RFC 9562 section 5.7). */
export const newId = (prefix: IdPrefix, clock: Clock): string => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const view = new DataView(bytes.buffer);
  const now = clock.now();
  view.setUint32(0, Math.floor(now / 0x1_0000));
  view.setUint16(4, now % 0x1_0000);
  view.setUint8(6, (view.getUint8(6) & 0x0f) | 0x70);
  view.setUint8(8, (view.getUint8(8) & 0x3f) | 0x80);
  return `${prefix}_${hex(bytes)}`;
};
