/** What the tests of the codec stand on; listed in no index. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { decodeSse, encodeSse, encodeSseComment, type SseEvent } from './sse.ts';

export async function* cut(text: string, sizes: readonly number[]): AsyncGenerator<string> {
  let at = 0;
  for (let i = 0; at < text.length; i += 1) {
    const size = sizes[i % sizes.length] ?? 1;
    yield text.slice(at, at + size);
    at += size;
  }
}

export const collect = async (chunks: AsyncIterable<string>): Promise<SseEvent[]> => {
  const events: SseEvent[] = [];
  for await (const event of decodeSse(chunks)) events.push(event);
  return events;
};

/** Writes events and reads them back, cut anywhere: what comes out is what went in, and nothing else. */
export const roundTrip = async (runs: number): Promise<void> => {
  const line = fc.string().map((text) => text.replaceAll(/[\r\n\0]/gu, ''));
  const event = fc.record({ event: line, id: line, data: fc.string() }, { requiredKeys: ['data'] });
  const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 5 }), sizes, async (events, cuts) => {
      const text = events.map((item) => encodeSse(item)).join(encodeSseComment('keep-alive\nevent: forged'));
      let last: string | undefined;
      const expected = events.map((item) => {
        last = item.id ?? last;
        const data = item.data.replaceAll(/\r\n|\r/gu, '\n');
        return { ...item, data, ...(last === undefined ? {} : { id: last }) };
      });
      expect(await collect(cut(text, cuts))).toEqual(expected);
    }),
    { numRuns: runs },
  );
};
