import { scan } from './scan.ts';

const CLAUSE = /^[A-Z]\d{1,2}\.[a-z0-9-]+$/u;

/** Clauses that a test file cites in its strings: `[T6.null]`, or several in one pair of brackets. */
export const citationsIn = (text: string): readonly string[] =>
  [...scan(text).withStrings.matchAll(/\[([A-Z]\d{1,2}\.[^[\]\n]*)\]/gu)]
    .flatMap((match) => (match[1] ?? '').split(/[\s,;]+/u))
    .filter((id) => CLAUSE.test(id));
