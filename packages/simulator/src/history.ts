import { hash } from 'node:crypto';
import { canonicalJson } from '@cloutagent/kit';
import { createLru } from './lru.ts';
import { invalid } from './refusal.ts';
import { blockText, type Block, type Message, type MessagesRequest } from './request.ts';

/**
 * Binds every answer to what it answered: system prompt, tools, all earlier messages, and its own words. The binding
 * stands in the ids of its tool calls and in the signatures of its thinking blocks, so it holds over a restart; an
 * answer that has neither is remembered.
 */
export interface History {
  /** Throws the refusal where an answer of ours stands behind something else than what it answered. */
  check(request: MessagesRequest): void;
  /** The binding of an answer to this request, before it has ids. */
  bind(request: MessagesRequest, content: readonly Block[]): string;
  /** Remembers an answer that carries its binding nowhere. */
  remember(request: MessagesRequest, content: readonly Block[], binding: string): void;
}

const TOOL_ID = /^(?:toolu|srvtoolu)_sim_([0-9a-f]{24})_\d+$/u;

export const toToolId = (kind: 'toolu' | 'srvtoolu', binding: string, index: number): string =>
  `${kind}_sim_${binding}_${index}`;

export const toSignature = (binding: string, thinking: string): string => `sim_${hashOf(binding, thinking)}`;

/** Two hashes an answer: 10,000 answers are about 2 MB. */
const MOST_ANSWERS = 10_000;
/** The same words may answer the same question in this many conversations before the oldest is forgotten. */
const MOST_CONVERSATIONS = 256;

export const createHistory = (): History => {
  const plain = createLru<readonly string[]>(MOST_ANSWERS);
  // The first message is part of the key: "Done." is said in many conversations, and one of them may be older than
  // this process, so that its prefix cannot be known.
  const keyOf = (messages: readonly Message[], content: readonly Block[]): string =>
    hashOf(canonicalJson(messages[0] ?? null), contentKey(content));

  return {
    check(request) {
      if (!request.messages.some(({ role }) => role === 'assistant')) return;
      const chain = chainOf(request);
      for (const [index, message] of request.messages.entries()) {
        if (message.role !== 'assistant') continue;
        const binding = bindingOf(chain[index] ?? '', message.content);
        checkSigned(message, binding, index);
        const known = plain.get(keyOf(request.messages, message.content));
        if (known !== undefined && !known.includes(binding)) throw bound(`messages.${index}`);
      }
    },
    bind: (request, content) => bindingOf(chainOf(request).at(-1) ?? '', content),
    remember(request, content, binding) {
      const key = keyOf(request.messages, content);
      const known = plain.get(key) ?? [];
      if (!known.includes(binding)) plain.set(key, [...known, binding].slice(-MOST_CONVERSATIONS));
    },
  };
};

const checkSigned = (message: Message, binding: string, index: number): void => {
  for (const [place, block] of message.content.entries()) {
    const path = `messages.${index}.content.${place}`;
    if (block.type === 'thinking') {
      const signature = String(block['signature']);
      if (!signature.startsWith('sim_')) throw invalid(`${path}: Invalid \`signature\` in \`thinking\` block`);
      if (signature !== toSignature(binding, String(block['thinking']))) throw bound(path);
    }
    if (block.type !== 'tool_use' && block.type !== 'server_tool_use') continue;
    const made = TOOL_ID.exec(String(block['id']));
    if (made !== null && made[1] !== binding) throw bound(path);
  }
};

const bound = (path: string): Error =>
  invalid(
    `${path}: this block is bound to a different conversation. The system prompt, the tools, every earlier message and the ` +
      'turn itself must be sent back as they were.',
  );

const chains = new WeakMap<MessagesRequest, readonly string[]>();

/** Hash of everything before message `i`, for every `i` and for the end; worked out once, as it walks the whole prompt. */
const chainOf = (request: MessagesRequest): readonly string[] => {
  const known = chains.get(request) ?? makeChain(request);
  chains.set(request, known);
  return known;
};

const makeChain = ({ system, tools, messages }: MessagesRequest): readonly string[] => {
  const chain = [hashOf(canonicalJson(system), canonicalJson(tools))];
  for (const { role, content } of messages) {
    const blocks = role === 'assistant' ? withoutThinking(content).map(essence) : content;
    chain.push(hashOf(chain.at(-1) ?? '', canonicalJson([role, blocks])));
  }
  return chain;
};

const bindingOf = (before: string, content: readonly Block[]): string => hashOf(before, contentKey(content));

/** The answer's own words without its ids, which are made from this. */
const contentKey = (content: readonly Block[]): string =>
  canonicalJson(
    withoutThinking(content).map((block) => ({ ...essence(block), id: undefined, tool_use_id: undefined })),
  );

/** A client may drop thinking blocks, which only loses their reasoning; each is signed by itself. */
const withoutThinking = (content: readonly Block[]): readonly Block[] =>
  content.filter((block) => block.type !== 'thinking');

/** What of an assistant's block has to come back: clients leave out empty members such as `citations`. */
const essence = (block: Block): Readonly<Record<string, unknown>> => {
  if (block.type === 'text') return { text: blockText(block) };
  if ('input' in block) return { id: block['id'], name: block['name'], input: block['input'] };
  return block;
};

const hashOf = (...parts: readonly string[]): string => {
  const whole = parts.map((part) => `${part.length}:${part}`).join('');
  return hash('sha256', whole, 'hex').slice(0, 24);
};
