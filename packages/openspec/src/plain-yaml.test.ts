import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { updateMeta } from './meta.ts';
import { readPlainYaml } from './plain-yaml.ts';

const asYaml = (text: string): unknown => {
  const document = parseDocument(text);
  return document.errors.length > 0 ? 'errors' : document.toJS();
};

const word = fc.constantFrom(
  'a',
  'title',
  'lease',
  'null',
  'True',
  'NO',
  '1',
  '01',
  '1e5',
  '0x1f',
  '0o7',
  '1_0',
  '.5',
  '2026-01-01',
  '12:30',
  '2026-11-20T12:00:00.000Z',
  'a: b',
  'a:',
  'a #b',
  'a#b',
  '- a',
  '? a',
  '"q"',
  "it's",
  '',
  '~',
  'é ü',
  '日本',
  '*a',
  '&a',
  '!t',
  '|',
  '>',
  '[a',
  '{a',
  'a, b',
  'x]',
  '%a',
  '@a',
  '`a',
  'a\tb',
  'Infinity',
  '.inf',
  'a ',
  '123456789012345678',
);
const indent = fc.constantFrom('', '', '', '  ', '  ', ' ', '    ', '\t');
const key = fc.constantFrom('a', 'b', 'title', 'spec.md', 'x_1');
const line = fc.oneof(
  { weight: 20, arbitrary: fc.tuple(key, word).map(([name, value]) => `${name}: ${value}`) },
  {
    weight: 5,
    arbitrary: fc.tuple(key, word).map(([name, value]) => `${name}:\n  ${value}: ${value}`),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(indent, word, word).map(([space, key, value]) => `${space}${key}: ${value}`),
  },
  { weight: 2, arbitrary: fc.tuple(indent, word).map(([space, key]) => `${space}${key}:`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', '# note', '---', '...', '- a', 'text', '  # note', '\uFEFFa: b', '__proto__: x'),
  },
);
const text = fc
  .tuple(fc.array(line, { maxLength: 6 }), fc.constantFrom('\n', '\n', '\r\n', '\r'))
  .map(([lines, end]) => lines.join(end));

describe('plain YAML', () => {
  it('[F15] is what the parser says, or left to the parser', () => {
    let read = 0;
    fc.assert(
      fc.property(text, (written) => {
        const plain = readPlainYaml(written);
        if (plain === undefined) return;
        read += plain.size;
        const parsed = asYaml(written);
        expect(plain.size === 0 ? {} : Object.fromEntries(plain)).toEqual(parsed ?? {});
      }),
      { numRuns: 20_000 },
    );
    expect(read).toBeGreaterThan(500);
  });

  it('reads what we and OpenSpec write, without the parser', () => {
    const meta = {
      schema: 'spec-driven',
      created: '2026-11-20',
      opened: '2026-11-20T12:00:00.000Z',
      title: 'Añadir login, (all) of it',
      lease: { owner: 'ada', since: '2026-11-20T12:00:00.000Z', ttl: 3600, tokenId: 'user:ada' },
      scaffold: { 'specs/add-login/spec.md': 'ab12'.repeat(16) },
      skip_specs: true,
    };
    expect(Object.fromEntries(readPlainYaml(updateMeta(undefined, meta)) ?? [])).toEqual(meta);
  });
});
