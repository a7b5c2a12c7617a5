import { CloutError } from '@cloutagent/contract';

export type Value = string | number | boolean | null;

export type Expression =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'compare'; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] };

/** A condition is a line or two; what is longer is work for a node. */
const MAX_LENGTH = 10_000;
/** Brackets and `not` in each other, so that no expression exhausts the stack. */
const MAX_DEPTH = 64;

interface Token {
  readonly kind: 'text' | 'number' | 'name' | 'sign';
  readonly text: string;
  readonly at: number;
}

const invalid = (message: string, at?: number): CloutError =>
  at === undefined
    ? new CloutError('EXPRESSION_INVALID', message)
    : new CloutError('EXPRESSION_INVALID', `${message} at character ${at + 1}`, { details: { at } });

const SPACE = /\s/u;
const NAME_START = /[A-Za-z_]/u;
const NAME = /[A-Za-z0-9_.-]/u;
const DIGIT = /[0-9]/u;
const SIGNS = ['==', '!=', '<=', '>=', '&&', '||', '<', '>', '!', '(', ')', ','] as const;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
]);

/** One pass over the characters; no pattern ever sees more than one of them. */
const tokenize = (source: string): readonly Token[] => {
  const tokens: Token[] = [];
  let at = 0;
  const charAt = (index: number): string => source.charAt(index);
  while (at < source.length) {
    const from = at;
    const char = charAt(at);
    if (SPACE.test(char)) {
      at += 1;
      continue;
    }
    if (char === '"' || char === "'") {
      let text = '';
      at += 1;
      while (at < source.length && charAt(at) !== char) {
        if (charAt(at) === '\\') {
          at += 1;
          text += ESCAPES.get(charAt(at)) ?? charAt(at);
        } else {
          text += charAt(at);
        }
        at += 1;
      }
      if (at >= source.length) throw invalid('A text has no end', from);
      at += 1;
      tokens.push({ kind: 'text', text, at: from });
      continue;
    }
    if (DIGIT.test(char) || (char === '-' && DIGIT.test(charAt(at + 1)))) {
      at += 1;
      while (at < source.length && (DIGIT.test(charAt(at)) || charAt(at) === '.')) at += 1;
      const text = source.slice(from, at);
      if (!Number.isFinite(Number(text))) throw invalid(`${text} is no number`, from);
      tokens.push({ kind: 'number', text, at: from });
      continue;
    }
    if (NAME_START.test(char)) {
      while (at < source.length && NAME.test(charAt(at))) at += 1;
      tokens.push({ kind: 'name', text: source.slice(from, at), at: from });
      continue;
    }
    const sign = SIGNS.find((one) => source.startsWith(one, at));
    if (sign === undefined) throw invalid(`${JSON.stringify(char)} means nothing here`, from);
    at += sign.length;
    tokens.push({ kind: 'sign', text: sign, at: from });
  }
  return tokens;
};

const COMPARE = new Set(['==', '!=', '<', '<=', '>', '>=', 'contains']);
const CONSTANTS: ReadonlyMap<string, Value> = new Map<string, Value>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** How many values each function takes. A map, so that `constructor` and its like name nothing. */
const FUNCTIONS: ReadonlyMap<string, number> = new Map([
  ['length', 1],
  ['lower', 1],
  ['upper', 1],
  ['trim', 1],
  ['number', 1],
  ['lines', 1],
  ['contains', 2],
  ['startsWith', 2],
  ['endsWith', 2],
  ['json', 2],
]);

/**
 * or → and ("or" and)*, and → not ("and" not)*, not → "not" not | compare, compare → primary (operator primary)?,
 * primary → number | text | name | name "(" arguments ")" | "(" or ")". Throws EXPRESSION_INVALID.
 */
export const parseExpression = (source: string): Expression => {
  if (source.length > MAX_LENGTH) throw invalid(`An expression has at most ${MAX_LENGTH} characters`);
  const tokens = tokenize(source);
  let next = 0;
  const peek = (): Token | undefined => tokens[next];
  const is = (...texts: readonly string[]): boolean => {
    const token = peek();
    return token !== undefined && token.kind !== 'text' && token.kind !== 'number' && texts.includes(token.text);
  };
  const take = (...texts: readonly string[]): boolean => {
    const found = is(...texts);
    if (found) next += 1;
    return found;
  };
  const expect = (text: string): void => {
    if (!take(text)) throw invalid(`A ${JSON.stringify(text)} is missing`, peek()?.at ?? source.length);
  };
  const chain = (
    kind: 'and' | 'or',
    words: readonly string[],
    operand: (depth: number) => Expression,
    depth: number,
  ): Expression => {
    const operands = [operand(depth)];
    while (take(...words)) operands.push(operand(depth));
    return operands.reduce((left, right) => ({ kind, left, right }));
  };
  const or = (depth: number): Expression => {
    if (depth > MAX_DEPTH) throw invalid(`Brackets stand in each other more than ${MAX_DEPTH} times deep`);
    return chain('or', ['or', '||'], and, depth);
  };
  const and = (depth: number): Expression => chain('and', ['and', '&&'], not, depth);
  const not = (depth: number): Expression => {
    if (depth > MAX_DEPTH) throw invalid(`"not" stands more than ${MAX_DEPTH} times in a row`);
    return take('not', '!') ? { kind: 'not', of: not(depth + 1) } : comparison(depth);
  };
  const comparison = (depth: number): Expression => {
    const left = primary(depth);
    const token = peek();
    if (token === undefined || token.kind === 'text' || !COMPARE.has(token.text)) return left;
    next += 1;
    return { kind: 'compare', operator: token.text, left, right: primary(depth) };
  };
  const primary = (depth: number): Expression => {
    const token = peek();
    if (token === undefined) throw invalid('The expression ends too early', source.length);
    next += 1;
    if (token.kind === 'text') return { kind: 'value', value: token.text };
    if (token.kind === 'number') return { kind: 'value', value: Number(token.text) };
    if (token.text === '(') {
      const inner = or(depth + 1);
      expect(')');
      return inner;
    }
    if (token.kind === 'sign') throw invalid(`${JSON.stringify(token.text)} means nothing here`, token.at);
    if (!take('(')) {
      const constant = CONSTANTS.get(token.text);
      return constant === undefined ? { kind: 'name', name: token.text } : { kind: 'value', value: constant };
    }
    const args: Expression[] = [];
    while (!take(')')) {
      if (args.length > 0) expect(',');
      args.push(or(depth + 1));
    }
    const arity = FUNCTIONS.get(token.text);
    if (arity === undefined) {
      throw invalid(`There is no function ${token.text}; there are ${[...FUNCTIONS.keys()].join(', ')}`, token.at);
    }
    if (arity !== args.length) throw invalid(`${token.text} takes ${arity} value(s), not ${args.length}`, token.at);
    return { kind: 'call', name: token.text, args };
  };
  const whole = or(0);
  const rest = peek();
  if (rest !== undefined) throw invalid(`${JSON.stringify(rest.text)} means nothing here`, rest.at);
  return whole;
};

/** Names that an expression asks for, each once, in order. Throws EXPRESSION_INVALID. */
export const expressionNames = (source: string): readonly string[] => {
  const names = new Set<string>();
  const walk = (expression: Expression): void => {
    if (expression.kind === 'name') names.add(expression.name);
    else if (expression.kind === 'not') walk(expression.of);
    else if (expression.kind === 'call') expression.args.forEach(walk);
    else if (expression.kind !== 'value') {
      walk(expression.left);
      walk(expression.right);
    }
  };
  walk(parseExpression(source));
  return [...names];
};
