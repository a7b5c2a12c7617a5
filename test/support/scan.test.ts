import { describe, expect, it } from 'vitest';
import { exportsOf, importsOf, scan } from './scan.ts';

describe('scan', () => {
  it('blanks comments and strings and keeps positions', () => {
    const text = "a(); // Date.now\n/* process.env */ b('Date.now', `x ${c('y')} Date.now`);";
    const { code, withStrings } = scan(text);
    expect(code).toHaveLength(text.length);
    expect(code).not.toMatch(/Date|process/u);
    expect(code).toMatch(/a\(\);\s+b\('\s+', `\s+\$\{c\(' '\)\}\s+`\);/u);
    expect(withStrings).toContain("'Date.now'");
    expect(withStrings).not.toContain('process');
  });

  it('does not take a quote in a regular expression for a string', () => {
    expect(scan(`const r = /['"\`/]/u; Date.now();`).code).toContain('Date.now()');
    expect(scan('const r = a / b / c; Date.now();').code).toContain('a / b / c');
    expect(scan('if (/[/]"/.test(x)) Date.now();').code).toContain('Date.now()');
  });

  it('closes templates with braces inside', () => {
    expect(scan('`${ {a: 1}.a } process.env ${`${1}`} process.env`; Date.now()').code).not.toContain('process');
    expect(scan('`${ {a: 1}.a } ${`${1}`} `; Date.now()').code).toContain('Date.now()');
  });
});

describe('importsOf', () => {
  it('finds every form of import and nothing in comments or strings', () => {
    const text = `
      import a, { type B } from 'a';
      import type { C } from './c.ts';
      import 'side';
      export { d } from "./d.ts";
      export * from './e.ts';
      export type { F } from './f.ts';
      const g = await import('./g.ts');
      import {
        h,
      } from './h.ts';
      // import no from 'no'
      const s = "import no from 'no'";
      export const from = 'no';
      export default 'no';
    `;
    expect(importsOf(text)).toEqual(['a', './c.ts', 'side', './d.ts', './e.ts', './f.ts', './g.ts', './h.ts']);
  });
});

describe('exportsOf', () => {
  it('finds declared, listed, renamed and starred names', () => {
    const text = `
      export const A = 1;
      export interface A { x: 1 }
      export async function b() {}
      export async function* c() {}
      export class D {}
      export type E = 1;
      export { f, g as h, type I } from './x.ts';
      export * from './y.ts';
      const hidden = 1;
    `;
    expect(exportsOf(text)).toEqual(['* from ./y.ts', 'A', 'D', 'E', 'I', 'b', 'c', 'f', 'h']);
  });
});
