import { CloutError } from '@cloutagent/contract';
import { parseExpression, type Expression, type Value } from './expression-parse.ts';

/** Value of a name; undefined where there is none. Texts that come from outside stay texts, whatever they hold. */
export type ValueOf = (name: string) => Value | undefined;

/**
 * Evaluates an expression over texts, numbers and truth values: `length(input) > 10 and not contains(lower(input), "no")`.
 * Nothing of the language that it is written in can be reached from it: there are no properties, no calls but the ten
 * functions below, and names are looked up by `valueOf` alone.
 * Throws EXPRESSION_INVALID.
 */
export const evaluateExpression = (text: string, valueOf: ValueOf): Value => evaluate(parseExpression(text), valueOf);

/** `false`, `null`, 0 and the empty text do not hold; everything else does. */
export const holds = (value: Value): boolean => value !== false && value !== null && value !== 0 && value !== '';

const invalid = (message: string): CloutError => new CloutError('EXPRESSION_INVALID', message);

const evaluate = (expression: Expression, valueOf: ValueOf): Value => {
  switch (expression.kind) {
    case 'value':
      return expression.value;
    case 'name': {
      const value = valueOf(expression.name);
      if (value === undefined) throw invalid(`There is no value named ${expression.name}`);
      return value;
    }
    case 'not':
      return !holds(evaluate(expression.of, valueOf));
    case 'and':
      return holds(evaluate(expression.left, valueOf)) && holds(evaluate(expression.right, valueOf));
    case 'or':
      return holds(evaluate(expression.left, valueOf)) || holds(evaluate(expression.right, valueOf));
    case 'compare':
      return compare(expression.operator, evaluate(expression.left, valueOf), evaluate(expression.right, valueOf));
    case 'call':
      return call(
        expression.name,
        expression.args.map((arg) => evaluate(arg, valueOf)),
      );
  }
};

const NUMBER = /^\s*-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\s*$/u;

/** A text that is a number counts as one beside a number: outputs of nodes are always texts. */
const toNumber = (value: Value): number | undefined => {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && NUMBER.test(value) ? Number(value) : undefined;
};

const toText = (value: Value): string => (value === null ? '' : String(value));

const compare = (operator: string, left: Value, right: Value): boolean => {
  if (operator === 'contains') return toText(left).includes(toText(right));
  const numeric = typeof left === 'number' || typeof right === 'number';
  const a = numeric ? toNumber(left) : undefined;
  const b = numeric ? toNumber(right) : undefined;
  if (a !== undefined && b !== undefined) return ordered(operator, a, b);
  if (operator === '==') return left === right;
  if (operator === '!=') return left !== right;
  if (typeof left !== 'string' || typeof right !== 'string') {
    throw invalid(`${describe(left)} and ${describe(right)} have no order`);
  }
  return ordered(operator, left, right);
};

const ordered = <T extends number | string>(operator: string, a: T, b: T): boolean => {
  switch (operator) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    default:
      return a >= b;
  }
};

const describe = (value: Value): string =>
  value === null ? 'null' : `a ${typeof value === 'string' ? 'text' : typeof value}`;

const call = (name: string, args: readonly Value[]): Value => {
  const [text = '', other = ''] = args.map(toText);
  switch (name) {
    case 'length':
      return Array.from(text).length;
    case 'lower':
      return text.toLowerCase();
    case 'upper':
      return text.toUpperCase();
    case 'trim':
      return text.trim();
    case 'contains':
      return text.includes(other);
    case 'startsWith':
      return text.startsWith(other);
    case 'endsWith':
      return text.endsWith(other);
    case 'number':
      return toNumber(text) ?? null;
    case 'lines':
      return text.split('\n').filter((line) => line.trim() !== '').length;
    case 'json':
      return jsonAt(text, other);
    default:
      throw invalid(`There is no function ${name}`);
  }
};

/** What stands at a path such as `items.0.name` of a JSON text; null where nothing does. Own members only. */
const jsonAt = (text: string, path: string): Value => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  for (const part of path === '' ? [] : path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return null;
    value = (value as Readonly<Record<string, unknown>>)[part];
  }
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value;
  return JSON.stringify(value);
};
