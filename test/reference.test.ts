import { ENVIRONMENT, ERRORS, ROUTES, RunEventBody } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { makeCliReference } from '../scripts/support/cli-reference.mjs';
import { makeReference } from '../scripts/support/reference.mjs';
import { projectFiles, readProjectFile, sourceFiles, testFiles } from './support/files.ts';
import { mayReadEnvironment } from './support/rooms.ts';
import { UNTESTED } from './untested.ts';

const pages = makeReference();

describe('[E16.reference] docs/reference', () => {
  it.each(Object.keys(pages))('%s is what the contract says (npm run reference)', (name) => {
    expect(readProjectFile(`docs/reference/${name}`)).toBe(pages[name as keyof typeof pages]);
  });

  it('cli.md is what the built command line says of itself (npm run reference)', { timeout: 120_000 }, () => {
    expect(readProjectFile('docs/reference/cli.md')).toBe(makeCliReference());
  });

  it('names every error code, route, event and environment variable', () => {
    const text = Object.values(pages).join('\n');
    const names = [
      ...Object.keys(ERRORS).map((code) => `| \`${code}\` |`),
      ...Object.values(ROUTES).map(({ method, path }) => `## ${method} ${path}`),
      ...RunEventBody.options.map((option) => `## ${option.shape.type.value}`),
      ...Object.keys(ENVIRONMENT).map((variable) => `| \`${variable}\` |`),
    ];
    expect(names.filter((name) => !text.includes(name))).toEqual([]);
  });

  it('explains every exit code', () => {
    const used = new Set(Object.values(ERRORS).map(({ exit }) => exit));
    expect([...used].filter((exit) => !pages['errors.md'].includes(`| ${exit} |`))).toEqual([]);
  });
});

describe('links of the documents', () => {
  const documents = projectFiles().filter((file) => file.endsWith('.md') && /^(?:docs\/|[A-Z]+\.md$)/u.test(file));

  it.each(documents)('%s leads only to what exists', (file) => {
    const targets = [...readProjectFile(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/gu)].map(
      (match) => match[1] ?? '',
    );
    const here = new URL(`file:///${file}`);
    const missing = targets.filter((target) => {
      const path = new URL(target, here).pathname.slice(1);
      return !projectFiles().some((known) => known === path || known.startsWith(`${path.replace(/\/$/u, '')}/`));
    });
    expect(missing).toEqual([]);
  });
});

describe('the environment', () => {
  const readers = sourceFiles().filter(mayReadEnvironment).map(readProjectFile).join('\n');

  it('has no variable that is read and not documented', () => {
    const read = [...readers.matchAll(/\b(?:env|environment|variables)(?:\??\.|\[')([A-Z][A-Z0-9_]{2,})\b/gu)].map(
      (match) => match[1] ?? '',
    );
    expect([...new Set(read)].filter((name) => !Object.hasOwn(ENVIRONMENT, name))).toEqual([]);
  });

  it('has no variable that is documented and not read', () => {
    const users = sourceFiles()
      .filter((file) => file !== 'packages/contract/src/config.ts')
      .map(readProjectFile)
      .join('\n');
    expect(Object.keys(ENVIRONMENT).filter((name) => !new RegExp(String.raw`\b${name}\b`, 'u').test(users))).toEqual(
      [],
    );
  });
});

describe('tests', () => {
  const tests = testFiles()
    .filter((file) => file !== 'test/reference.test.ts')
    .map(readProjectFile)
    .join('\n');
  const named = (text: string): boolean => tests.includes(text);
  const KINDS = {
    errors: Object.keys(ERRORS).map((code) => [code, named(code)] as const),
    routes: Object.entries(ROUTES).map(
      ([name, { path }]) =>
        [name, named(`'${name}'`) || named(path.replace(/:.*$/u, '')) || named(`ROUTES.${name}`)] as const,
    ),
    events: RunEventBody.options.map(({ shape }) => [shape.type.value, named(`'${shape.type.value}'`)] as const),
    environment: Object.keys(ENVIRONMENT).map((name) => [name, named(name)] as const),
  };

  it('[T10.provoked] name every error code that the product throws, and it throws all', () => {
    const product = sourceFiles()
      .filter((file) => file !== 'packages/contract/src/error.ts')
      .map(readProjectFile)
      .join('\n');
    const codes = Object.keys(ERRORS);
    expect(codes.filter((code) => !product.includes(`'${code}'`))).toEqual([]);
    expect(codes.filter((code) => !new RegExp(`['"\`: ]${code}\\b`, 'u').test(tests))).toEqual([]);
  });

  it.each(['errors', 'routes', 'events', 'environment'] as const)('name all %s but those on the list', (kind) => {
    expect(KINDS[kind].filter(([, tested]) => !tested).map(([name]) => name)).toEqual(UNTESTED[kind]);
  });
});
