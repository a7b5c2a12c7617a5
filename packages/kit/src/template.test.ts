import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fillTemplate, ownValues, parseTemplate, templateNames } from './template.ts';

const fill = (template: string, values: Record<string, string>): string => fillTemplate(template, ownValues(values));

describe('[E17] [M22] templates', () => {
  it('[E8.variables] are filled in one pass, and values are never expanded again', () => {
    expect(fill('Hello {{name}}, {{ name }}!', { name: 'Ann' })).toBe('Hello Ann, Ann!');
    expect(fill('{{a}}', { a: '{{secret}}', secret: 'LEAK' })).toBe('{{secret}}');
    expect(fill('{{a}}{{b}}', { a: '{{', b: 'secret}}', secret: 'LEAK' })).toBe('{{secret}}');
  });

  it('take values as they are, with every character that means something to a regular expression', () => {
    expect(fill('{{v}}', { v: '$& $1 $$ \\1 (a+)+' })).toBe('$& $1 $$ \\1 (a+)+');
    expect(fill('{{(}}{{(a+)+}}{{$&}}', { '(': '1', '(a+)+': '2', '$&': '3' })).toBe('123');
  });

  it('know own names only, and leave the others as they are written', () => {
    const inherited = Object.create({ evil: 'LEAK' }) as Record<string, string>;
    for (const name of ['__proto__', 'constructor', 'toString', 'evil', 'missing']) {
      expect(fill(`<{{${name}}}>`, inherited)).toBe(`<{{${name}}}>`);
    }
    const own = JSON.parse('{"__proto__":"mine"}') as Record<string, string>;
    expect(fill('{{__proto__}}', own)).toBe('mine');
  });

  it('read the innermost braces, and lonely ones as text', () => {
    const values = { x: 'X' };
    expect(fill('{{{x}}}', values)).toBe('{X}');
    expect(fill('{{a {{x}} b}}', values)).toBe('{{a X b}}');
    expect(fill('}}{{x}}{{', values)).toBe('}}X{{');
    expect(fill('{{}} {{ }} {{x\n}} {{a\nb}}', { ...values, 'a\nb': 'no' })).toBe('{{}} {{ }} X {{a\nb}}');
    expect(templateNames('{{b}} {{a}} {{b}}')).toEqual(['b', 'a']);
    expect(parseTemplate('')).toEqual([]);
  });

  it('equal a model that reads character by character, and lose nothing', () => {
    const piece = fc.constantFrom('{', '}', '{{', '}}', 'x', 'y', ' ', '$&', '{{x}}', '{{y}}', '\n');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const template = pieces.join('');
        const values = { x: '{{y}}$&', y: '{{x}}' };
        expect(fill(template, values)).toBe(model(template, values));
        expect(fillTemplate(template, () => undefined)).toBe(template);
      }),
      { numRuns: 20_000 },
    );
  });

  it.each([
    ['openings', '{{'],
    ['closings', '}}'],
    ['pairs', '{{x}}'],
    ['single braces', '{'],
    ['openings and one name', '{{ x'],
    ['long names', '{{xxxxxxxxxxxxxxxxxxxxxxxxxxx'],
  ])('are linear in a megabyte of %s', (_name, piece) => {
    const small = piece.repeat(Math.ceil(65_536 / piece.length));
    const large = piece.repeat(Math.ceil(1_048_576 / piece.length));
    const reads = (template: string): number => {
      const before = process.cpuUsage().user;
      for (let round = 0; round < 3; round += 1) fill(`${template}}}`, { x: '' });
      return process.cpuUsage().user - before;
    };
    reads(small);
    // Sixteen times the text; quadratic work would take 256 times as long.
    expect(reads(large)).toBeLessThan(64 * Math.max(reads(small), 1000));
  });
});

/** The rule in another way: find the first closing pair, go back to the nearest opening one, and begin again behind it. */
const model = (template: string, values: Record<string, string>): string => {
  let out = '';
  let rest = template;
  for (;;) {
    const match = /^([\s\S]*?)\}\}/u.exec(rest);
    if (match === null) return out + rest;
    const [whole, before = ''] = match;
    const parts = /^([\s\S]*)\{\{([\s\S]*?)$/u.exec(before);
    const name = (parts?.[2] ?? '').trim();
    const known = name !== '' && !name.includes('\n') && Object.hasOwn(values, name);
    out += known ? `${parts?.[1] ?? ''}${values[name]}` : whole;
    rest = rest.slice(whole.length);
  }
};
