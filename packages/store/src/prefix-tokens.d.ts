import type { Writer } from './writer.ts';
/** Tokens that the API counted for a prompt prefix; undefined where it was not seen (lately). */
export declare const getPrefixTokens: (
  writer: Writer,
  model: string,
  prefixHash: string,
) => Promise<number | undefined>;
/** Keeps the larger figure where two were counted, since a bound is made of it. */
export declare const putPrefixTokens: (
  writer: Writer,
  model: string,
  prefixHash: string,
  tokens: number,
) => Promise<void>;
