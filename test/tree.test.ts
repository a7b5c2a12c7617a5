import { homedir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { projectFiles, readProjectFile, ROOT } from './support/files.ts';

const TEXT = /\.(?:ts|tsx|mjs|cjs|js|json|md|ya?ml|css|html|svg|sh|txt)$|^[^.]*$|^\.[^/]*$|^\.ci\//u;
const texts = projectFiles()
  .filter((file) => TEXT.test(file))
  .map((file) => ({ file, text: readProjectFile(file) }));

describe('the tree', () => {
  it('has no download address in a lock file', () => {
    const wrong = texts.filter(
      ({ file, text }) => file.endsWith('package-lock.json') && /"resolved": "https?:/u.test(text),
    );
    expect(wrong.map(({ file }) => file)).toEqual([]);
  });

  it('names no path of a machine', () => {
    // A root like `/` or `/app` would match half of any text.
    const roots = [ROOT.replace(/\/$/u, ''), `${homedir()}/`].filter((path) => path.split('/').length > 2);
    const wrong = texts.filter(
      ({ text }) => roots.some((path) => text.includes(path)) || /\/work\/(?:main|shared)\b/u.test(text),
    );
    expect(wrong.map(({ file }) => file).filter((file) => file !== 'test/tree.test.ts')).toEqual([]);
  });

  it('names no package registry', () => {
    const registry = new RegExp(['registry', 'npmjs'].join(String.raw`\.`), 'u');
    expect(texts.filter(({ text }) => registry.test(text)).map(({ file }) => file)).toEqual([]);
  });

  it('has no report that nobody asked for', () => {
    expect(
      projectFiles().filter((file) => /(?:_SUMMARY|_REPORT|IMPLEMENTATION_NOTES|COMPLETION)\.md$/iu.test(file)),
    ).toEqual([]);
  });

  it('has no large file', async () => {
    const large = texts.filter(({ text }) => Buffer.byteLength(text) > 2 ** 20);
    expect(large.map(({ file }) => file)).toEqual([]);
  });
});
