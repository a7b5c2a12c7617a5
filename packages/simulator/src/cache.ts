import { hash } from 'node:crypto';
import { canonicalJson } from '@cloutagent/kit';
import { createLru } from './lru.ts';
import type { Breakpoint, MessagesRequest, Prompt } from './request.ts';
import { countInput } from './tokens.ts';

/** The prompt's tokens, split as they are billed; they add up to `countInput`. */
export interface InputSplit {
  readonly input: number;
  readonly read: number;
  readonly write5m: number;
  readonly write1h: number;
}

export interface PromptCache {
  /** Accounts one answered request at `nowMs` (a clock that never jumps back) and remembers its prefixes. */
  account(request: MessagesRequest, nowMs: number): InputSplit;
}

/** A prefix is looked for at so many blocks, the breakpoint's own the first of them, as the real API does. */
const LOOK_BACK = 20;
/** A prefix is some 100 bytes here: 20,000 of them are 2 MB and far more than one project makes in an hour. */
const MOST_PREFIXES = 20_000;
const LIFE_MS = { '5m': 5 * 60_000, '1h': 60 * 60_000 } as const;

/**
 * With `cache_control`, a prefix is a write the first time and a read when it was seen within its life; a read
 * renews it. Prefixes below the model's least size are not cached. Without marks everything is input.
 */
export const createPromptCache = (): PromptCache => {
  const prefixes = createLru<{ readonly until: number; readonly ttl: '5m' | '1h' }>(MOST_PREFIXES);

  return {
    account(request, nowMs) {
      const total = request.inputTokens;
      if (request.breakpoints.length === 0) return { input: total, read: 0, write5m: 0, write1h: 0 };
      const blocks = chainOf(request);
      const marks = request.breakpoints
        .map((mark) => ({ ...mark, place: placeOf(blocks, mark) }))
        .map((mark) => ({ ...mark, tokens: tokensUpTo(request.prompt, blocks, mark.place) }))
        .filter((mark) => mark.tokens >= request.model.minCacheTokens);

      const isAlive = (place: number): boolean => (prefixes.get(blocks[place]?.hash ?? '')?.until ?? 0) > nowMs;
      let readPlace = -1;
      for (const mark of marks) {
        for (let place = mark.place; place > Math.max(readPlace, mark.place - LOOK_BACK); place -= 1) {
          if (isAlive(place)) readPlace = place;
        }
      }
      const read = readPlace < 0 ? 0 : tokensUpTo(request.prompt, blocks, readPlace);
      const renewed = prefixes.get(blocks[readPlace]?.hash ?? '');
      if (renewed !== undefined)
        prefixes.set(blocks[readPlace]?.hash ?? '', { ...renewed, until: nowMs + LIFE_MS[renewed.ttl] });

      const writes = { '5m': 0, '1h': 0 };
      let done = read;
      for (const mark of marks) {
        if (mark.place <= readPlace) continue;
        writes[mark.ttl] += mark.tokens - done;
        done = mark.tokens;
        prefixes.set(blocks[mark.place]?.hash ?? '', { until: nowMs + LIFE_MS[mark.ttl], ttl: mark.ttl });
      }
      return { input: total - done, read, write5m: writes['5m'], write1h: writes['1h'] };
    },
  };
};

interface ChainLink {
  readonly at: Breakpoint['at'];
  /** Hash of the model and of everything up to and including this block. */
  readonly hash: string;
}

const chainOf = ({ model, tools, system, messages }: MessagesRequest): readonly ChainLink[] => {
  let chained = model.id;
  const links: ChainLink[] = [];
  const add = (at: Breakpoint['at'], value: unknown): void => {
    chained = hash('sha256', `${chained}${canonicalJson(value)}`, 'base64');
    links.push({ at, hash: chained });
  };
  tools.forEach((tool, index) => add({ in: 'tools', index }, tool));
  system.forEach((block, index) => add({ in: 'system', index }, block));
  messages.forEach(({ role, content }, index) =>
    content.forEach((item, block) => add({ in: 'messages', index, block }, [role, index, item])),
  );
  return links;
};

const placeOf = (links: readonly ChainLink[], { at }: Breakpoint): number =>
  links.findIndex(
    (link) =>
      link.at.in === at.in &&
      link.at.index === at.index &&
      (link.at.in !== 'messages' || (at.in === 'messages' && link.at.block === at.block)),
  );

/** Tokens of the prompt cut off after a block: what `countInput` says of a request that ends there. */
const tokensUpTo = (prompt: Prompt, links: readonly ChainLink[], place: number): number => {
  const at = links[place]?.at;
  if (at === undefined) return 0;
  if (at.in === 'tools') return countInput({ messages: [], tools: (prompt.tools ?? []).slice(0, at.index + 1) });
  const tools = prompt.tools === undefined ? {} : { tools: prompt.tools };
  if (at.in === 'system') return countInput({ messages: [], ...tools, system: cut(prompt.system, at.index) });
  const system = prompt.system === undefined ? {} : { system: prompt.system };
  const last = prompt.messages[at.index];
  const whole = prompt.messages.slice(0, at.index);
  const messages = last === undefined ? whole : [...whole, { role: last.role, content: cut(last.content, at.block) }];
  return countInput({ messages, ...tools, ...system });
};

const cut = (content: unknown, index: number): unknown =>
  Array.isArray(content) ? content.slice(0, index + 1) : content;
