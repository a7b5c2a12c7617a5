import { describe, expect, test } from 'vitest';
import { parseInline } from './inline.ts';
import { parseMarkdown } from './parse.ts';

describe('parseMarkdown', () => {
  test('headings, paragraphs, code, quotes and rules', () => {
    expect(parseMarkdown('# A #\n\nOne\ntwo\n\n```ts\n# no heading\n```\n> said\n\n---')).toEqual([
      { kind: 'heading', level: 1, text: 'A' },
      { kind: 'paragraph', text: 'One\ntwo' },
      { kind: 'code', language: 'ts', text: '# no heading' },
      { kind: 'quote', blocks: [{ kind: 'paragraph', text: 'said' }] },
      { kind: 'rule' },
    ]);
  });
  test('lists nest, go on over lines, and keep their boxes', () => {
    expect(parseMarkdown('- [x] done\n- [ ] open\n  goes on\n  - below\n1. first')).toEqual([
      {
        kind: 'list',
        ordered: false,
        items: [
          { text: 'done', checked: true, blocks: [] },
          {
            text: 'open goes on',
            checked: false,
            blocks: [{ kind: 'list', ordered: false, items: [{ text: 'below', checked: undefined, blocks: [] }] }],
          },
        ],
      },
      { kind: 'list', ordered: true, items: [{ text: 'first', checked: undefined, blocks: [] }] },
    ]);
  });
  test('comments go, other HTML stays text', () => {
    expect(parseMarkdown('a <!-- hint -->b\n\n<script>x</script>')).toEqual([
      { kind: 'paragraph', text: 'a b' },
      { kind: 'paragraph', text: '<script>x</script>' },
    ]);
  });
  test('no input exhausts it: deep nesting and open fences end', () => {
    expect(parseMarkdown('>'.repeat(5_000))).toHaveLength(1);
    expect(
      parseMarkdown(Array.from({ length: 400 }, (_, depth) => `${' '.repeat(depth * 2)}- x`).join('\n')),
    ).toHaveLength(1);
    expect(parseMarkdown('```\nnever closed')).toEqual([{ kind: 'code', language: '', text: 'never closed' }]);
  });
});

describe('parseInline', () => {
  test('code, strong, emphasis and links', () => {
    expect(parseInline('a `b*c*` **d** *e* [f](https://g.h/i)')).toEqual([
      { kind: 'text', text: 'a ' },
      { kind: 'code', text: 'b*c*' },
      { kind: 'text', text: ' ' },
      { kind: 'strong', text: 'd' },
      { kind: 'text', text: ' ' },
      { kind: 'emphasis', text: 'e' },
      { kind: 'text', text: ' ' },
      { kind: 'link', text: 'f', href: 'https://g.h/i' },
    ]);
  });
  test.each(['javascript:alert(1)', 'data:text/html,x', '//evil.example', '../local.md', ' https://x'])(
    '%s is no link',
    (href) => {
      expect(parseInline(`[x](${href})`).every((part) => part.kind === 'text')).toBe(true);
    },
  );
  test('names with stars and underscores inside stay whole', () => {
    expect(parseInline('2*3*4 and a_b_c')).toEqual([{ kind: 'text', text: '2*3*4 and a_b_c' }]);
  });
});
