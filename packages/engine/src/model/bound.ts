import type { Conversation } from '../agent/conversation.ts';

/** Tokens that a server adds to a first request: its own instructions on tools (documented figures reach some 800). */
export const FIRST_CALL_TOKENS = 1024;
/** The same for messages behind a known prefix: roles and separators. */
const NEXT_CALL_TOKENS = 64;

/** What is known of the tokens of a prefix from an earlier answer of the same source; kept between runs. */
export interface PrefixTokens {
  /** Upper bound of the tokens of the prefix with this hash, undefined where none is known. */
  getPrefixTokens(model: string, hash: string): Promise<number | undefined>;
  putPrefixTokens(model: string, hash: string, tokens: number): Promise<void>;
}

/**
 * Upper bound of the input tokens of a conversation's next call: what the last answer proves exactly, plus the bound of
 * what is new. Before the first answer, `prefixTokens` (the whole input of an earlier call with this prefix) stands in.
 */
export const inputBound = (conversation: Conversation, prefixTokens: number | undefined): number => {
  const { known, freshBytes, prefix } = conversation;
  if (known !== null) return known + freshBytes + NEXT_CALL_TOKENS;
  const unlearned = prefix.bytes + FIRST_CALL_TOKENS;
  return freshBytes + Math.min(unlearned, prefixTokens === undefined ? unlearned : prefixTokens + NEXT_CALL_TOKENS);
};
