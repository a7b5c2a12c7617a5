import { CloutError } from '@cloutagent/contract';

/** RESPONSE_TOO_LARGE, in the words of seed 002, for more bytes than the limit. */
export const requireBytes = (size: number, limit: number): void => {
  if (size <= limit) return;
  const kb = (bytes: number): number => Math.ceil(bytes / 1024);
  throw new CloutError('RESPONSE_TOO_LARGE', `Response size (${kb(size)}KB) exceeds limit of ${kb(limit)}KB`);
};

/** The same for a text. */
export const requireSize = (text: string, limit: number): void => requireBytes(Buffer.byteLength(text), limit);
