import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createByteRing } from './byte-ring.ts';
import { createLineReader } from './line-reader.ts';

const cut = (bytes: Buffer, sizes: readonly number[]): Buffer[] => {
  const chunks: Buffer[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i += 1) {
    const size = sizes[i % sizes.length] ?? 1;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
};

test('lines come out the same however the bytes are cut', () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/gu, ' '));
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (lines, sizes) => {
      const reader = createLineReader(10_000);
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
      expect(cut(bytes, sizes).flatMap((chunk) => reader.push(chunk))).toEqual(lines);
    }),
  );
});

test('a line may be as long as the cap and not longer, in one chunk or in many', () => {
  expect(createLineReader(4).push(Buffer.from('abcd\n'))).toEqual(['abcd']);
  expect(() => createLineReader(4).push(Buffer.from('abcde\n'))).toThrow(RangeError);
  const reader = createLineReader(4);
  reader.push(Buffer.from('abc'));
  expect(() => reader.push(Buffer.from('de'))).toThrow(RangeError);
});

test('a ring keeps the last bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme-ascii', maxLength: 30 })), (texts) => {
      const ring = createByteRing(16);
      for (const text of texts) ring.push(Buffer.from(text));
      expect(ring.text()).toBe(texts.join('').slice(-16));
    }),
  );
});
