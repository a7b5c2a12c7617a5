import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const BIN = fileURLToPath(new URL('../bin/clout.mjs', import.meta.url));

// Each step starts a whole program; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let root: string;

const clout = (...argv: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, ...argv], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: root },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });

const requirement = (...scenarios: readonly string[]): string =>
  `### Requirement: Login\nThe system SHALL let users in.\n${['Right password', ...scenarios]
    .map((title) => `\n#### Scenario: ${title}\n- **WHEN** it is so\n- **THEN** they are in\n`)
    .join('')}`;

const write = async (file: string, text: string): Promise<void> => {
  await mkdir(path.dirname(path.join(root, file)), { recursive: true });
  await writeFile(path.join(root, file), text);
};

const edit = async (slug: string, block: string): Promise<void> =>
  write(`openspec/changes/${slug}/specs/auth/spec.md`, `## MODIFIED Requirements\n\n${block}`);

const SPEC = 'openspec/specs/auth/spec.md';
const ABOVE =
  '# auth Specification\n\n## Purpose\nWho may come in, and how they prove who they are to the system.\n\n## Requirements\n\n';

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'clout-together-'));
  await write(SPEC, `${ABOVE}${requirement()}`);
  await edit('first', requirement('By key'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

test('[X4.overlaps] [X4.stale] [X4.union] [T8.unarchive] two changes of one requirement: nothing is lost', async () => {
  expect((await clout('change', 'overlaps')).stdout).toBe('No requirement is named by two open changes.\n');
  await edit('second', requirement('By card'));
  const overlap = {
    capability: 'auth',
    requirement: 'Login',
    kind: 'both-modify',
    changes: [
      { slug: 'first', operation: 'MODIFIED' },
      { slug: 'second', operation: 'MODIFIED' },
    ],
  };
  expect(JSON.parse((await clout('change', 'overlaps', 'second', '--json')).stdout)).toEqual({ overlaps: [overlap] });
  expect((await clout('change', 'show', 'second')).stdout).toMatch(/both-modify {2}auth: Login\n {2}first MODIFIED/u);

  expect((await clout('change', 'archive', 'first')).stdout).toMatch(/started from the text before[^]*both-modify/u);
  const refused = await clout('change', 'archive', 'second');
  expect(refused.code).toBe(4);
  expect(refused.stderr).toMatch(
    /--- now\n[^]*By key[^]*--- in this change\n[^]*By card[^]*--union[^]*CHANGE_CONFLICT/u,
  );
  const offered: unknown = JSON.parse((await clout('change', 'archive', 'second', '--json')).stdout);
  expect(offered).toMatchObject({ error: { details: { union: requirement('By key', 'By card').trim() } } });

  expect((await clout('change', 'archive', 'second', '--union')).code).toBe(0);
  expect(await readFile(path.join(root, SPEC), 'utf8')).toBe(`${ABOVE}${requirement('By key', 'By card')}`);

  expect((await clout('change', 'unarchive', 'second')).stdout).toMatch(/^Open again: second/u);
  expect(await readFile(path.join(root, SPEC), 'utf8')).toBe(`${ABOVE}${requirement('By key')}`);
  const rebased = await clout('change', 'rebase', 'second', '--json');
  expect(JSON.parse(rebased.stdout)).toEqual({
    slug: 'second',
    rebased: [{ capability: 'auth', requirement: 'Login' }],
  });
});
