import type { Usage } from '@cloutagent/contract';
import type { ContentBlock, Message, ModelAnswer, ModelOptions, ToolDefinition } from '../model/port.ts';
import { promptTokens } from '../model/price.ts';
import { jsonBytes, sizeOfMessage } from '../model/size.ts';
import { hashOf } from '../workflow/hash.ts';

/** What every call of a conversation begins with; never changed, or the server refuses the signatures of earlier thoughts. */
export interface Prefix {
  readonly model: string;
  readonly system: string;
  /** Sorted by name, so that equal tool sets give equal requests. */
  readonly tools: readonly ToolDefinition[];
  readonly options: ModelOptions | undefined;
  readonly hash: string;
  readonly bytes: number;
}

/** An append-only history, with what the next call needs to know of it: what it is, and how large at most. */
export interface Conversation {
  readonly prefix: Prefix;
  readonly messages: readonly Message[];
  /** Of prefix and messages, chained message by message, so that a long history is not hashed again at each turn. */
  readonly hash: string;
  /** Exact tokens up to and with the last answer; null before the first. */
  readonly known: number | null;
  /** Most tokens of the messages that came after it: UTF-8 bytes of text, and what a picture can be. */
  readonly freshBytes: number;
  /** A kind of content among them whose tokens no rule bounds, such as a PDF; null where there is none. */
  readonly unbounded: string | null;
}

export const toPrefix = (
  model: string,
  system: string,
  tools: readonly ToolDefinition[],
  options?: ModelOptions,
): Prefix => {
  const sorted = [...tools].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const said = options ?? {};
  return {
    model,
    system,
    tools: sorted,
    options,
    hash: hashOf({ model, system, tools: sorted, options }),
    // A schema and tools among the further fields are read as input too.
    bytes:
      jsonBytes({ system, tools: sorted }) + (options === undefined ? 0 : jsonBytes([said.outputSchema, said.fields])),
  };
};

export const openConversation = (prefix: Prefix): Conversation => ({
  prefix,
  messages: [],
  hash: prefix.hash,
  known: null,
  freshBytes: 0,
  unbounded: null,
});

const append = (conversation: Conversation, message: Message): Conversation => ({
  ...conversation,
  messages: [...conversation.messages, message],
  hash: hashOf([conversation.hash, message]),
});

export const withUser = (conversation: Conversation, content: string | readonly ContentBlock[]): Conversation => {
  const message: Message = { role: 'user', content };
  const { tokens, unbounded } = sizeOfMessage(message);
  return {
    ...append(conversation, message),
    freshBytes: conversation.freshBytes + tokens,
    unbounded: conversation.unbounded ?? unbounded,
  };
};

/** Tokens of everything that a call read and wrote: what the same history costs as the prompt of the next one. */
const totalTokens = (usage: Usage): number => promptTokens(usage) + usage.outputTokens;

/** Adds an answer verbatim, but for empty text blocks and empty answers, which the API gives and does not take. */
export const withAnswer = (conversation: Conversation, answer: ModelAnswer): Conversation => {
  const content = answer.content.filter((block) => block.type !== 'text' || block['text'] !== '');
  const next = content.length === 0 ? conversation : append(conversation, { role: 'assistant', content });
  return { ...next, known: totalTokens(answer.usage), freshBytes: 0, unbounded: null };
};
