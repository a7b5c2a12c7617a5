import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

const BIN = fileURLToPath(new URL('../bin/clout.mjs', import.meta.url));

/** Runs the built command as a script would: no terminal, no key, a home of its own. */
const clout = (
  folder: string,
  argv: readonly string[],
): Promise<{ code: number | null; stdout: string; stderr: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, ...argv], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: folder },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });

// Each test starts whole programs; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let root: string;
const at = (...names: string[]): string => path.join(root, 'openspec', 'changes', ...names);

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'clout-change-'));
  await clout(root, ['init']);
  await clout(root, ['change', 'open', 'first-change', '--title', 'A first change', '--owner', 'ann']);
  await clout(root, ['change', 'open', 'broken-change', '--title', 'Broken', '--template', 'bugfix']);
  await rm(at('broken-change', 'specs'), { recursive: true });
});
afterAll(() => rm(root, { recursive: true, force: true }));

const CASES: readonly (readonly [
  what: string,
  argv: readonly string[],
  code: number,
  stdout: RegExp,
  stderr: RegExp,
])[] = [
  ['list', ['change', 'list'], 0, /^CHANGE +TASKS[^]*first-change +0\/\d+ +draft +ann/u, /^$/u],
  ['list of an owner', ['change', 'list', '--owner', 'nobody'], 0, /^No changes\. Open one/u, /^$/u],
  ['show', ['change', 'show', 'first-change'], 0, /^first-change {2}A first change\n[^]*\[ \] 1\.1 /u, /^$/u],
  [
    'show of nothing',
    ['change', 'show', 'no-such-change'],
    3,
    /^$/u,
    /^Error: .*no-such-change[^]*clout change list[^]*CHANGE_NOT_FOUND\n$/u,
  ],
  ['validate', ['change', 'validate', 'first-change'], 0, /^first-change: valid/u, /^$/u],
  [
    'validate what is broken',
    ['change', 'validate', 'broken-change'],
    2,
    /^broken-change: not valid\n {2}ERROR/u,
    /^$/u,
  ],
  ['validate all', ['change', 'validate', '--all'], 2, /broken-change: not valid[^]*first-change: valid/u, /^$/u],
  ['validate nothing', ['change', 'validate'], 2, /^$/u, /Name one change, or give --all[^]*INVALID_INPUT/u],
  [
    'open again, as who holds it',
    ['change', 'open', 'first-change', '--title', 'T', '--owner', 'ann'],
    0,
    /^Renewed first-change\n/u,
    /^$/u,
  ],
  [
    'open again, held by nobody',
    ['change', 'open', 'broken-change', '--title', 'T'],
    4,
    /^$/u,
    /CHANGE_ALREADY_EXISTS/u,
  ],
  [
    'open with a bad slug',
    ['change', 'open', '../evil', '--title', 'T'],
    2,
    /^$/u,
    /slug: must match[^]*like add-login\nINVALID_INPUT/u,
  ],
  ['open without a title', ['change', 'open', 'x-y-z'], 2, /^$/u, /required option '--title <text>'/u],
  [
    'open with an unknown template',
    ['change', 'open', 'x-y-z', '--title', 'T', '--template', 'epic'],
    3,
    /^$/u,
    /TEMPLATE_NOT_FOUND/u,
  ],
  ['an amount that is none', ['run', 'first-change', '--budget', 'lots'], 2, /^$/u, /amount in dollars/u],
  ['an unknown option', ['change', 'list', '--nope'], 2, /^$/u, /unknown option '--nope'/u],
  ['an unknown command', ['chnge'], 2, /^$/u, /no command "chnge"[^]*change/u],
  ['no command', [], 2, /^$/u, /A command is missing/u],
  [
    'a planned command',
    ['task', 'list', '--ready'],
    2,
    /^$/u,
    /clout task does not exist in this version\nWhat exists: up, init[^]*NOT_IMPLEMENTED/u,
  ],
  [
    'a planned command of a group',
    ['change', 'verify', 'x'],
    2,
    /^$/u,
    /clout change verify does not exist[^]*open, [^]*NOT_IMPLEMENTED/u,
  ],
  ['another folder', ['--cwd', '/nowhere/at/all', 'change', 'list'], 3, /^$/u, /PROJECT_NOT_FOUND/u],
  ['the version', ['--version'], 0, /^\d+\.\d+\.\d+\n$/u, /^$/u],
  ['the help', ['change', '--help'], 0, /Usage: clout change[^]*validate/u, /^$/u],
];

describe('[X9.exit-codes] [X9.refused] every command line has its output and exit code', () => {
  test.each(CASES)('%s', async (_, argv, code, stdout, stderr) => {
    const ended = await clout(root, argv);
    expect(ended.stdout).toMatch(stdout);
    expect(ended.stderr).toMatch(stderr);
    expect(ended.code).toBe(code);
  });
});

describe('[X9.json] with --json', () => {
  const json = async (...argv: string[]): Promise<{ code: number | null; value: Record<string, unknown> }> => {
    const { code, stdout, stderr } = await clout(root, [...argv, '--json']);
    expect(stderr).toBe('');
    expect(stdout.endsWith('\n')).toBe(true);
    expect(stdout.trimEnd()).not.toContain('\n');
    return { code, value: JSON.parse(stdout) as Record<string, unknown> };
  };

  test('list is the page of the contract', async () => {
    const { code, value } = await json('change', 'list');
    expect(code).toBe(0);
    expect(value).toMatchObject({ page: 1, total: 2, nextPageToken: null });
    expect(Object.keys(value)).toEqual(['page', 'pageSize', 'total', 'nextPageToken', 'items']);
    expect((value['items'] as { slug: string }[]).map(({ slug }) => slug).sort()).toEqual([
      'broken-change',
      'first-change',
    ]);
  });

  test('list goes page by page', async () => {
    const first = await json('change', 'list', '--limit', '1');
    const second = await json('change', 'list', '--limit', '1', '--page-token', String(first.value['nextPageToken']));
    const slugs = [
      ...(first.value['items'] as { slug: string }[]),
      ...(second.value['items'] as { slug: string }[]),
    ].map(({ slug }) => slug);
    expect(slugs.sort()).toEqual(['broken-change', 'first-change']);
  });

  test('show, validate and open give their documents', async () => {
    expect((await json('change', 'show', 'first-change')).value).toMatchObject({
      slug: 'first-change',
      taskList: expect.any(Array) as unknown,
    });
    expect(await json('change', 'validate', 'broken-change')).toMatchObject({
      code: 2,
      value: { slug: 'broken-change', valid: false },
    });
    expect(await json('change', 'validate', '--all')).toMatchObject({
      code: 2,
      value: { valid: false, items: [{}, {}] },
    });
    const opened = await json('change', 'open', 'by-json', '--title', 'By JSON', '--template', 'chore');
    expect(opened.value).toMatchObject({ change: { slug: 'by-json', template: 'chore' }, resumed: false });
    await rm(at('by-json'), { recursive: true });
  });

  test('an error is a document with code, message, hint and details', async () => {
    const { code, value } = await json('change', 'show', 'nothing-here');
    expect(code).toBe(3);
    expect(value).toEqual({
      error: {
        code: 'CHANGE_NOT_FOUND',
        message: expect.any(String) as unknown,
        hint: expect.any(String) as unknown,
        details: expect.any(Object) as unknown,
      },
    });
    expect((await json('change', 'list', '--nope')).value).toMatchObject({ error: { code: 'INVALID_INPUT' } });
    expect((await json('bridge')).value).toMatchObject({
      error: { code: 'NOT_IMPLEMENTED', details: { command: 'bridge' } },
    });
  });
});

test('[X9.exit-codes] a folder without openspec is no project, until a change is opened there', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'clout-no-project-'));
  try {
    for (const argv of [['list'], ['show', 'a-change'], ['validate', '--all']])
      expect(await clout(folder, ['change', ...argv])).toMatchObject({
        code: 3,
        stdout: '',
        stderr: expect.stringMatching(/clout init\nPROJECT_NOT_FOUND\n$/u) as unknown,
      });
    expect(await clout(folder, ['change', 'open', 'a-change', '--title', 'T'])).toMatchObject({ code: 0 });
    expect(await clout(path.join(folder, 'openspec'), ['change', 'show', 'a-change'])).toMatchObject({ code: 0 });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('[X9.exit-codes] hints name options of the command line', async () => {
  await clout(root, ['change', 'open', 'unfinished', '--title', 'Unfinished']);
  await writeFile(at('unfinished', 'tasks.md'), '## 1. Work\n\n- [ ] 1.1 Do it\n');
  const { code, stderr } = await clout(root, ['change', 'archive', 'unfinished']);
  expect(code).toBe(4);
  expect(stderr).toMatch(/--allow-incomplete\nCHANGE_TASKS_INCOMPLETE\n$/u);
});

test('[X9.exit-codes] up on a port that is taken says so once, without a log', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  try {
    const address = taken.address();
    const port = String(typeof address === 'object' ? address?.port : address);
    expect(await clout(root, ['up', '--port', port])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /^Error: Port \d+ on 127\.0\.0\.1 is taken[^\n]*\n[^\n]*\nVALIDATION_ERROR\n$/u,
      ) as unknown,
    });
  } finally {
    taken.close();
  }
});

test('init makes a project, and leaves one alone that is there', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'clout-init-'));
  try {
    expect(JSON.parse((await clout(folder, ['init', '--json'])).stdout)).toMatchObject({
      created: expect.arrayContaining(['openspec/config.yaml']) as unknown,
    });
    const file = path.join(folder, 'openspec/config.yaml');
    await writeFile(file, 'schema: mine\n');
    expect((await clout(folder, ['init'])).stdout).toContain('nothing was changed');
    expect(await readFile(file, 'utf8')).toBe('schema: mine\n');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('trust is remembered outside of the folder and can be taken back', async () => {
  const home = await mkdtemp(path.join(tmpdir(), 'clout-home-'));
  const argv = (...words: string[]): string[] => ['--cwd', root, 'trust', ...words, '--json'];
  try {
    expect(JSON.parse((await clout(home, argv())).stdout)).toMatchObject({ trusted: true });
    expect(JSON.parse((await clout(home, argv('--list'))).stdout)).toEqual({
      folders: [expect.stringContaining(path.basename(root))],
    });
    expect(JSON.parse((await clout(home, argv('--remove'))).stdout)).toMatchObject({ trusted: false, changed: true });
    expect(JSON.parse((await clout(home, argv('--list'))).stdout)).toEqual({ folders: [] });
  } finally {
    await rm(home, { recursive: true });
  }
});

test('a reader that goes away ends the command quietly', async () => {
  const child = spawn('sh', ['-c', `"${process.execPath}" "${BIN}" change show first-change | head -c 1; echo "$?"`], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await once(child, 'close');
  expect(stderr).toBe('');
});
