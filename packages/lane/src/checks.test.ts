import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Check, CheckResult } from '@cloutagent/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCheck, type CheckDeps } from './checks.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'checks-'));
  await mkdir(path.join(root, 'project/src'), { recursive: true });
  await writeFile(path.join(root, 'project/a.txt'), 'Grüße und Küsse');
  await writeFile(path.join(root, 'secret.txt'), 'Grüße');
  await symlink('../secret.txt', path.join(root, 'project/out.txt'));
  await symlink('a.txt', path.join(root, 'project/in.txt'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const check = (what: Check, deps: Partial<CheckDeps> = {}): Promise<CheckResult> =>
  runCheck(what, {
    root: path.join(root, 'project'),
    trusted: true,
    runCommand: async () => ({ exitCode: 0, output: '' }),
    signal: new AbortController().signal,
    ...deps,
  });

describe('[E7.checks] a file check', () => {
  it.each([
    ['a.txt', true, '18 bytes'],
    ['in.txt', true, '18 bytes'],
    ['b.txt', false, 'there is no such file'],
    ['a.txt/b.txt', false, 'there is no such file'],
    ['src', false, 'it is not a file'],
    ['out.txt', false, 'it is outside the project folder'],
    ['../secret.txt', false, 'it is outside the project folder'],
  ])('of %s is %s: %s', async (file, ok, detail) => {
    expect(await check({ kind: 'file-exists', path: file })).toEqual({
      check: { kind: 'file-exists', path: file },
      ok,
      detail,
    });
  });

  it.each([
    ['a.txt', 'Küsse', true],
    ['a.txt', 'küsse', false],
    ['out.txt', 'Grüße', false],
    ['none.txt', 'Grüße', false],
  ])('whether %s contains %s is %s', async (file, text, ok) => {
    expect((await check({ kind: 'file-contains', path: file, text })).ok).toBe(ok);
  });

  it('does not read a giant file', async () => {
    await truncate(path.join(root, 'project/a.txt'), 10 * 1024 * 1024 + 1);
    const result = await check({ kind: 'file-contains', path: 'a.txt', text: 'Küsse' });
    expect(result).toMatchObject({ ok: false, detail: expect.stringContaining('10485761 bytes') as string });
  });
});

describe('[E7.run-trusted NOT_TRUSTED] a command', () => {
  it('does not run in a folder that is not trusted', async () => {
    let ran = false;
    const runCommand = async () => {
      ran = true;
      return { exitCode: 0, output: '' };
    };
    const result = await check({ kind: 'run', command: 'rm -rf /' }, { trusted: false, runCommand });
    expect(result).toMatchObject({ ok: false, detail: expect.stringMatching(/NOT_TRUSTED.*clout trust/u) as string });
    expect(ran).toBe(false);
  });

  it.each([
    [0, 'fine\n', true, 'exit code 0\nfine'],
    [0, '', true, 'exit code 0'],
    [2, ' boom ', false, 'exit code 2\nboom'],
    [null, 'stopped after 120 s', false, 'it was stopped\nstopped after 120 s'],
  ])('that ends with %s and says %j is %s', async (exitCode, output, ok, detail) => {
    const seen: unknown[] = [];
    const result = await check(
      { kind: 'run', command: 'npm test' },
      {
        runCommand: async ({ command, cwd, timeoutMs }) => {
          seen.push({ command, cwd, timeoutMs });
          return { exitCode, output };
        },
      },
    );
    expect(result).toMatchObject({ ok, detail });
    expect(seen).toEqual([{ command: 'npm test', cwd: path.join(root, 'project'), timeoutMs: 120_000 }]);
  });

  it('leaves the end of its output as evidence', async () => {
    const output = `${'x'.repeat(5000)}the end`;
    const { detail } = await check(
      { kind: 'run', command: 'c' },
      { runCommand: async () => ({ exitCode: 1, output }) },
    );
    expect(detail).toHaveLength('exit code 1\n'.length + 4000);
    expect(detail.endsWith('the end')).toBe(true);
  });
});
