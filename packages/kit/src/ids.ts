import type { IdPrefix } from '@cloutagent/contract';
import type { Clock } from './clock.ts';

/** Random digits are made for many ids at once: each call into the system costs more than the rest of an id. */
const POOL_BYTES = 1024;
/** Of the 20 random digits of an id two share their place with the version and the variant. */
const DIGITS = 20;
/** A byte in hex digits, by its value. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
let pool = '';
let used = 0;

const randomDigits = (): string => {
  if (used + DIGITS > pool.length) {
    pool = '';
    for (const byte of crypto.getRandomValues(new Uint8Array(POOL_BYTES))) pool += HEX[byte] ?? '';
    used = 0;
  }
  used += DIGITS;
  return pool.slice(used - DIGITS, used);
};

const VARIANTS = '89ab';

let timed = -1;
let timeDigits = '';

/** `prefix_` and a UUIDv7 in 32 hex digits: sorts by time of creation (RFC 9562 section 5.7). */
export const newId = (prefix: IdPrefix, clock: Clock): string => {
  const now = clock.now();
  if (now !== timed) {
    timed = now;
    timeDigits = Math.floor(now).toString(16).padStart(12, '0');
  }
  const random = randomDigits();
  const variant = VARIANTS.charAt(random.charCodeAt(0) & 3);
  return `${prefix}_${timeDigits}7${random.slice(1, 4)}${variant}${random.slice(4, 19)}`;
};
