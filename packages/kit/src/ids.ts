import type { IdPrefix } from '@cloutagent/contract';
import type { Clock } from './clock.ts';

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

const hex = (bytes: Uint8Array): string => {
  let text = '';
  for (const byte of bytes) text += HEX[byte] ?? '';
  return text;
};

/** Random bytes are fetched for many ids at once: each call into the system costs as much as the rest of an id. */
const pool = new Uint8Array(1024);
let used = pool.length;

const randomBytes = (): Uint8Array<ArrayBuffer> => {
  if (used + 16 > pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  used += 16;
  return pool.slice(used - 16, used);
};

/** `prefix_` and a UUIDv7 in 32 hex digits: sorts by time of creation (RFC 9562 section 5.7). */
export const newId = (prefix: IdPrefix, clock: Clock): string => {
  const bytes = randomBytes();
  const view = new DataView(bytes.buffer);
  const now = clock.now();
  view.setUint32(0, Math.floor(now / 0x1_0000));
  view.setUint16(4, now % 0x1_0000);
  view.setUint8(6, (view.getUint8(6) & 0x0f) | 0x70);
  view.setUint8(8, (view.getUint8(8) & 0x3f) | 0x80);
  return `${prefix}_${hex(bytes)}`;
};
