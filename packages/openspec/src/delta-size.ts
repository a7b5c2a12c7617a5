import { CloutError } from '@cloutagent/contract';

/** Bytes of one delta: some thousand requirements, which is more than a person reads, and read in 25 ms. */
export const MAX_DELTA = 256 * 1024;
/** Of all deltas of a change together. */
const MAX_DELTAS = 4 * 1024 * 1024;

/** Adds up what a change holds. @throws PAYLOAD_TOO_LARGE */
export const deltaMeter = (): ((name: string, text: string) => void) => {
  let total = 0;
  return (name, text) => {
    total += text.length;
    if (text.length > MAX_DELTA) throw tooLarge(`${name} is larger than ${MAX_DELTA} characters`);
    if (total > MAX_DELTAS)
      throw tooLarge(`The deltas of this change are larger than ${MAX_DELTAS} characters together`);
  };
};

const tooLarge = (message: string): CloutError =>
  new CloutError('PAYLOAD_TOO_LARGE', message, { hint: 'Split the change into several ones' });
