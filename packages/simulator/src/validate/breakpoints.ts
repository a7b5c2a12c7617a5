import { invalid } from '../refusal.ts';
import { isRecord, type Breakpoint } from '../request.ts';
import { readOneOf } from './read.ts';

const MOST = 4;

/** The places that carry `cache_control`, in the order of the prompt; a mark on the request is one at its very end. */
export const readBreakpoints = (body: Readonly<Record<string, unknown>>): readonly Breakpoint[] => {
  const found: Breakpoint[] = [];
  const look = (holder: unknown, path: string, at: Breakpoint['at']): void => {
    const ttl = isRecord(holder) ? readMark(holder['cache_control'], path) : undefined;
    if (ttl !== undefined) found.push({ at, ttl });
  };
  listOf(body['tools']).forEach((tool, index) => look(tool, `tools.${index}`, { in: 'tools', index }));
  listOf(body['system']).forEach((block, index) => look(block, `system.${index}`, { in: 'system', index }));
  const messages = listOf(body['messages']);
  messages.forEach((message, index) => {
    listOf(isRecord(message) ? message['content'] : undefined).forEach((item, block) => {
      const path = `messages.${index}.content.${block}`;
      const at = { in: 'messages', index, block } as const;
      look(item, path, at);
      // A mark inside of a tool result caches up to the whole result.
      listOf(isRecord(item) && item['type'] === 'tool_result' ? item['content'] : undefined).forEach((part, place) =>
        look(part, `${path}.content.${place}`, at),
      );
    });
  });
  const ttl = readMark(body['cache_control'], '');
  if (ttl !== undefined) found.push({ at: endOf(messages), ttl });
  if (found.length > MOST) {
    throw invalid(`A maximum of ${MOST} blocks with cache_control may be provided. Found ${found.length}.`);
  }
  const short = found.findIndex((mark) => mark.ttl === '5m');
  if (short >= 0 && found.slice(short).some((mark) => mark.ttl === '1h')) {
    throw invalid("a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block");
  }
  return found;
};

const readMark = (mark: unknown, path: string): '5m' | '1h' | undefined => {
  if (mark === undefined || mark === null) return undefined;
  const at = path === '' ? 'cache_control' : `${path}.cache_control`;
  if (!isRecord(mark)) throw invalid(`${at}: Input should be a valid dictionary`);
  readOneOf(mark['type'], `${at}.type`, ['ephemeral']);
  return readOneOf(mark['ttl'] ?? '5m', `${at}.ttl`, ['5m', '1h']) === '1h' ? '1h' : '5m';
};

const endOf = (messages: readonly unknown[]): Breakpoint['at'] => {
  const last = messages.at(-1);
  const blocks = listOf(isRecord(last) ? last['content'] : undefined);
  return { in: 'messages', index: messages.length - 1, block: Math.max(0, blocks.length - 1) };
};

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
