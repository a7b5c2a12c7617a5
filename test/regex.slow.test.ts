import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { installPeers } from '../scripts/support/peers.mjs';
import { readProjectFile, roomOf, sourceFiles } from './support/files.ts';

/** Rooms whose expressions see what callers send, or what a repository or another server brings along. */
const ROOMS = new Set(['contract', 'kit', 'http', 'openspec', 'task-mcp', 'mcp'].map((name) => `packages/${name}`));

/** A literal behind something that cannot end a value, with the flag that every one of ours has. */
const LITERAL =
  /(?<=[(=,:[!&|?{};\s])\/(?![*/\s])((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+)\/([dgimsy]*[uv][dgimsy]*)(?=[\s.,);:\]])/gu;

interface Verdict {
  readonly status: 'safe' | 'vulnerable' | 'unknown';
  readonly attack?: { readonly pattern: string };
}
type Check = (source: string, flags: string, options: { readonly timeout: number }) => Verdict;

/** What cannot grow, each with its reason. */
const EXCUSED: Readonly<Record<string, string>> = {
  '/^(\\s*)(?:[-*+]|\\d{1,9}[.)])\\s*\\[(?:\\s{0,99}([^\\]\\s]?)\\s{0,99}\\](?![([])|\\s{1,99}\\])(.*)$/su':
    'two runs of at most 99 blanks: 10,000 steps and no more',
  '/\\[[^\\]]*\\]/u': 'asked only of lines whose first bracket is closed, since the expression above found a box there',
  '/.{64}/gu': 'asked only of a certificate that we made',
};

it('[H18] no expression takes longer than its text is long', { timeout: 300_000 }, async () => {
  const folder = await installPeers('regex', { recheck: '4.5.0' }, { args: ['--omit=optional'] });
  // The part in plain JavaScript: the others are programs for some systems only.
  process.env['RECHECK_BACKEND'] = 'pure';
  const { checkSync } = createRequire(`${folder}/package.json`)('recheck') as { readonly checkSync: Check };
  const found = new Map<string, { readonly file: string; readonly source: string; readonly flags: string }>();
  for (const file of sourceFiles().filter((name) => ROOMS.has(roomOf(name)))) {
    for (const [, source = '', flags = ''] of readProjectFile(file).matchAll(LITERAL))
      found.set(`/${source}/${flags}`, { file, source, flags });
  }
  expect(found.size).toBeGreaterThan(60);
  expect(Object.keys(EXCUSED).filter((literal) => !found.has(literal))).toEqual([]);
  const bad = [...found]
    .filter(([literal]) => !Object.hasOwn(EXCUSED, literal))
    .map(([literal, { file, source, flags }]) => ({ literal, file, ...checkSync(source, flags, { timeout: 8000 }) }))
    .filter(({ status }) => status !== 'safe')
    .map(({ literal, file, status, attack }) => [file, literal, status, attack?.pattern]);
  expect(bad).toEqual([]);
});
