import { codeOf } from '@cloutagent/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluateExpression, holds } from './expression.ts';
import { expressionNames } from './expression-parse.ts';

const VALUES: Readonly<Record<string, string>> = { input: 'Hello World', n: '12', empty: '', 'agent-1': 'yes' };
const evaluate = (text: string): unknown =>
  evaluateExpression(text, (name) => (Object.hasOwn(VALUES, name) ? VALUES[name] : undefined));
const codeFrom = (text: string): unknown => {
  try {
    return evaluate(text);
  } catch (error) {
    return codeOf(error) ?? error;
  }
};

describe('an expression', () => {
  it.each([
    ['length(input) > 5', true],
    ['n == 12', true],
    ['n < 9', false],
    ['n < "9"', true],
    ['input contains "World" and not empty', true],
    ['contains(lower(input), "world")', true],
    ['agent-1 == "yes" || false', true],
    ['(true or false) and !(1 > 2)', true],
    ['number("x") == null', true],
    ['lines("a\\n\\nb") == 2', true],
    ['json("{\\"a\\":[{\\"b\\":7}]}", "a.0.b") == 7', true],
    ['json("{}", "constructor") == null', true],
    ['json("no json", "a") == null', true],
    ['startsWith(trim("  ab "), "a") and endsWith(upper("ab"), "B")', true],
    ['-3 < -2.5', true],
    ["'it''s'", 'EXPRESSION_INVALID'],
  ])('%s is %s', (text, value) => {
    expect(codeFrom(text)).toBe(value);
  });

  it('knows what holds', () => {
    expect(['', 0, false, null, 'x', 1, true].map(holds)).toEqual([false, false, false, false, true, true, true]);
  });

  it('names what it asks for', () => {
    expect(expressionNames('length(a) > 1 and (b == "c" or not a)')).toEqual(['a', 'b']);
  });

  it.each([
    'this',
    'process.exit(1)',
    'constructor.constructor("return process")()',
    'input.constructor',
    '__proto__',
    'toString',
    'hasOwnProperty("x")',
    'globalThis',
    'require("fs")',
    'import("fs")',
    '(() => 1)()',
    'function(){}',
    'new Function("return 1")()',
    '`${1}`',
    'input["constructor"]',
    'a = 1',
    'input; process',
    '1 + 1',
    'x => x',
    '{}',
    '[]',
    '/a/.test(input)',
    'input?.length',
    'input /* */ == 1',
    'eval("1")',
    'constructor("x")',
    'json(input)',
    'length()',
    'true < 1 < 2',
    '"no end',
    '1..2',
    '(',
    ')',
    '',
    '   ',
    'a b',
    '\u0000',
    '\\x41',
    'String.raw`a`',
    'valueOf()',
    'isPrototypeOf(input)',
  ])('[E18 EXPRESSION_INVALID] refuses %j', (text) => {
    expect(codeFrom(text)).toBe('EXPRESSION_INVALID');
  });

  it('[E18] whatever is written gives a plain value or EXPRESSION_INVALID, and touches nothing', () => {
    const before = Object.getOwnPropertyNames(Object.prototype).length;
    const token = fc.constantFrom(
      'input',
      'n',
      '(',
      ')',
      ',',
      '.',
      '==',
      '<',
      '!',
      'not',
      'and',
      'or',
      '"x"',
      "'",
      '1',
      '-',
      'length',
      'json',
      'constructor',
      '__proto__',
      'prototype',
      '[',
      ']',
      '{',
      '}',
      '=',
      '=>',
      ';',
      '`',
      '$',
      '\\',
      'this',
      'contains',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 30 }), (tokens) => {
        const value = codeFrom(tokens.join(''));
        expect(['string', 'number', 'boolean']).toContain(value === null ? 'string' : typeof value);
      }),
      { numRuns: 20_000 },
    );
    expect(Object.getOwnPropertyNames(Object.prototype)).toHaveLength(before);
  });

  it('refuses what is too long or too deep, at once', () => {
    expect(codeFrom('('.repeat(5_000))).toBe('EXPRESSION_INVALID');
    expect(codeFrom('not '.repeat(2_000))).toBe('EXPRESSION_INVALID');
    expect(codeFrom(`"${'x'.repeat(10_000)}"`)).toBe('EXPRESSION_INVALID');
    expect(codeFrom(`${'true and '.repeat(1_100)}true`)).toBe(true);
  });
});
