import { CloutError, type UsageTrait } from '@cloutagent/contract';
import type { Conversation } from '../agent/conversation.ts';
import type { Message } from '../model/port.ts';
import type { BoundTerms } from '../model/price.ts';

/**
 * Tokens that the results of one search add to the prompt. No page of the provider bounds them; what was seen stays below a
 * third of it. A dearer one is booked as it is, raises an alert, and makes the next bound larger.
 */
const SEARCH_TOKENS = 20_000;

/** Fields of a request that let the server spend what no rule bounds. */
const UNBOUNDED_FIELDS = ['mcp_servers', 'fallbacks', 'thread', 'container'] as const;

export const boundUnknown = (what: string, kind: string): CloutError =>
  new CloutError('BOUND_UNKNOWN', `Nobody can say beforehand what a call with ${what} costs at most`, {
    details: { kind },
  });

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What the options of a conversation's calls say of their price. */
export type Terms = Pick<BoundTerms, 'cacheWrites' | 'traits' | 'webSearches'> & {
  /** What the server's own searches may add to the prompt. */
  readonly searchTokens: number;
};

/** `marked`: the request bears marks for the cache. Errors: BOUND_UNKNOWN for a server tool that may be used without end, or whose use has no price. */
export const termsOf = ({ prefix, messages }: Conversation, marked: boolean): Terms => {
  const { options } = prefix;
  const fields = options?.fields ?? {};
  for (const name of UNBOUNDED_FIELDS) if (fields[name] !== undefined) throw boundUnknown(name, name);
  const webSearches = searchesOf(fields['tools']);
  const traits: UsageTrait[] = [
    ...(fields['speed'] === 'fast' ? (['fast'] as const) : []),
    ...(fields['inference_geo'] === 'us' ? (['us'] as const) : []),
  ];
  return {
    cacheWrites: cacheWritesOf(marked, fields, messages),
    ...(traits.length === 0 ? {} : { traits }),
    ...(webSearches === 0 ? {} : { webSearches }),
    searchTokens: webSearches * SEARCH_TOKENS,
  };
};

const searchesOf = (tools: unknown): number => {
  let searches = 0;
  for (const tool of Array.isArray(tools) ? (tools as unknown[]) : []) {
    if (!isObject(tool)) continue;
    const { type, max_uses: most } = tool;
    // Tools of ours have no type, or this one; all others run on the server.
    if (type === undefined || type === 'custom') continue;
    const name = typeof type === 'string' ? type : 'tool';
    if (!name.startsWith('web_search')) throw boundUnknown(`the server tool ${name}`, name);
    if (typeof most !== 'number') throw boundUnknown(`the server tool ${name} without max_uses`, name);
    searches += most;
  }
  return searches;
};

/** Whoever may write to the cache, writing is dearer than plain input; an hour dearer than five minutes. */
const cacheWritesOf = (asked: boolean, fields: Json, messages: readonly Message[]): '5m' | '1h' | undefined => {
  const controls = [fields['cache_control'], ...(Array.isArray(fields['tools']) ? (fields['tools'] as unknown[]) : [])];
  for (const { content } of messages) if (typeof content !== 'string') controls.push(...content);
  const said = controls.flatMap((value) => {
    if (!isObject(value)) return [];
    const control =
      'cache_control' in value
        ? value['cache_control']
        : 'type' in value && value['type'] === 'ephemeral'
          ? value
          : undefined;
    return isObject(control) ? [control] : [];
  });
  if (said.some((control) => control['ttl'] === '1h')) return '1h';
  return asked || said.length > 0 ? '5m' : undefined;
};
