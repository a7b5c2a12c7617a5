// Sets the wall clock of the process that imports it (NODE_OPTIONS=--import=…) off by the milliseconds in the file that
// JUMPING_CLOCK names, whenever that changes. Timers and the monotonic clock go on as they are, as when a person sets a clock.
import { readFileSync } from 'node:fs';

const file = process.env.JUMPING_CLOCK;
const RealDate = Date;
/** The file is looked at so often. */
const FRESH_MS = 5;
let offset = 0;
let readAt = Number.NEGATIVE_INFINITY;

const now = () => {
  const at = performance.now();
  if (at - readAt > FRESH_MS) {
    readAt = at;
    const text = readFileSync(file, 'utf8');
    // It is empty for a moment while it is written.
    if (text !== '') offset = Number(text);
  }
  return RealDate.now() + offset;
};

globalThis.Date = class extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(now());
    else super(...parts);
  }

  static now() {
    return now();
  }
};
