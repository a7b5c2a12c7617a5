import { CloutError } from '@cloutagent/contract';

/** Passes a text on that is within the limit. RESPONSE_TOO_LARGE in the words of seed 002 otherwise. */
export const requireSize = (text: string, limit: number): string => {
  const size = Buffer.byteLength(text);
  if (size <= limit) return text;
  const kb = (bytes: number): number => Math.ceil(bytes / 1024);
  throw new CloutError('RESPONSE_TOO_LARGE', `Response size (${kb(size)}KB) exceeds limit of ${kb(limit)}KB`);
};
