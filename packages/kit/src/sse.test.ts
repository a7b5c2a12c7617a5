import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSse, encodeSse, encodeSseComment, type SseEvent } from './sse.ts';

async function* cut(text: string, sizes: readonly number[]): AsyncGenerator<string> {
  let at = 0;
  for (let i = 0; at < text.length; i += 1) {
    const size = sizes[i % sizes.length] ?? 1;
    yield text.slice(at, at + size);
    at += size;
  }
}

const collect = async (chunks: AsyncIterable<string>): Promise<SseEvent[]> => {
  const events: SseEvent[] = [];
  for await (const event of decodeSse(chunks)) events.push(event);
  return events;
};

describe('SSE codec', () => {
  it('brings every event back, however the bytes are cut; an id stays until the next one', async () => {
    const line = fc.string().map((text) => text.replaceAll(/[\r\n\0]/gu, ''));
    const event = fc.record({ event: line, id: line, data: fc.string() }, { requiredKeys: ['data'] });
    await fc.assert(
      fc.asyncProperty(
        fc.array(event),
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
        async (events, sizes) => {
          const text = events.map((item) => encodeSse(item)).join(encodeSseComment('keep-alive\nevent: forged'));
          let last: string | undefined;
          const expected = events.map((item) => {
            last = item.id ?? last;
            const data = item.data.replaceAll(/\r\n|\r/gu, '\n');
            return { ...item, data, ...(last === undefined ? {} : { id: last }) };
          });
          expect(await collect(cut(text, sizes))).toEqual(expected);
        },
      ),
    );
  });

  it('lets no field be injected through event, id or data', async () => {
    const text = encodeSse({ event: 'a\nevent: forged', id: '1\r\nid: 2', data: 'x\n\nevent: forged\ndata: y' });
    expect(await collect(cut(text, [3]))).toEqual([
      { event: 'a event: forged', id: '1  id: 2', data: 'x\n\nevent: forged\ndata: y' },
    ]);
  });

  it('reads CR, LF and CRLF ends', async () => {
    expect(await collect(cut('data: a\r\rdata: b\r\n\r\ndata: c\n\n', [1]))).toEqual([
      { data: 'a' },
      { data: 'b' },
      { data: 'c' },
    ]);
  });
});
