import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { intend, parseIntent, textsOf, writeIntent, type IntendedWrite, type Intent } from './intent.ts';

/** Few signs, so that texts have much in common; some are halves of one character. */
const text = fc.option(
  fc.string({ unit: fc.constantFrom('a', 'b', '\n', 'é', '😀', '\uD83D', '\uDE00'), maxLength: 40 }),
  {
    nil: null,
  },
);

describe('[T8.atomic] what an intent says of a file', () => {
  it('gives both texts from the one that is there, and none from any other', () => {
    fc.assert(
      fc.property(text, text, text, (before, after, other) => {
        fc.pre(isWhole(before) && isWhole(after) && isWhole(other));
        // As it comes back from the disk.
        const write = JSON.parse(JSON.stringify(intend('specs/cap/spec.md', before, after))) as IntendedWrite;
        expect(textsOf(write, before)).toEqual({ before, after });
        expect(textsOf(write, after)).toEqual({ before, after });
        const isOne = other === before || other === after;
        expect(textsOf(write, other)).toEqual(isOne ? { before, after } : undefined);
      }),
      { numRuns: 2000 },
    );
  });

  it('is read behind no other text, and before none', () => {
    const intent: Intent = { format: 2, op: 'archive', slug: 'a', archivedAs: 'b', writes: [] };
    const text = writeIntent(intent);
    expect(Buffer.byteLength(text) % 4096).toBe(0);
    expect(parseIntent(text)).toEqual(intent);
    expect(parseIntent(text.trimEnd())).toEqual(intent);
    for (const other of [`${text}more\n`, `${text.trimEnd()}\n{}`, `more\n${text}`, ` ${text}`])
      expect(parseIntent(other)).toBeUndefined();
  });

  it('is short, however long the text', () => {
    const long = 'A line of the specification.\n'.repeat(3000);
    const write = intend('specs/cap/spec.md', `${long}old\n${long}`, `${long}new text\n${long}`);
    expect(write).toMatchObject({ start: long.length, old: 'old', fresh: 'new text' });
  });
});

/** Files hold no half of a character: they are UTF-8. */
const isWhole = (value: string | null): boolean => value === null || Buffer.from(value).toString() === value;
