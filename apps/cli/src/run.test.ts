import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

const BIN = fileURLToPath(new URL('../bin/clout.mjs', import.meta.url));
type Line = Readonly<Record<string, unknown>>;
interface Ended {
  readonly code: number | null;
  readonly lines: readonly Line[];
  readonly stderr: string;
}

// Each test starts whole programs, one after another; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

let root: string;
let slowModel: string;
const ending: (() => void)[] = [];

const start = (
  argv: readonly string[],
  environment: Record<string, string> = {},
): ChildProcessByStdio<null, Readable, Readable> =>
  spawn(process.execPath, [BIN, ...argv, '--json'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: root, ...environment },
  });

/** Collects JSON lines until the command ends; `onLine` may send it signals. */
const finish = async (child: ReturnType<typeof start>, onLine: (line: Line) => void = () => {}): Promise<Ended> => {
  const lines: Line[] = [];
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as Line;
    lines.push(line);
    onLine(line);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, lines, stderr };
};
const clout = (...argv: string[]): Promise<Ended> => finish(start(argv));
const typeOf = (line: Line): string => {
  const event = line['event'] as { body: { type: string } } | undefined;
  return event === undefined ? String(line['type']) : event.body.type;
};

/** A change with one task a file, each checked. */
const openChange = async (slug: string, files: readonly string[]): Promise<void> => {
  expect((await clout('change', 'open', slug, '--title', `Change ${slug}`)).code).toBe(0);
  const tasks = files.map((file, i) => `- [ ] 1.${i + 1} Write ${file}\n  - check: file ${file} exists\n`);
  await writeFile(path.join(root, 'openspec/changes', slug, 'tasks.md'), `## 1. Files\n\n${tasks.join('')}`);
};

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'clout-run-'));
  await clout('init');
  // A model that is slow enough to be interrupted, in a process that ends with its stdin.
  const simulator = spawn(process.execPath, [BIN, 'simulate', '--per-token-ms', '100', '--exit-with-stdin'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  ending.push(() => simulator.stdin.end());
  const lines = createInterface({ input: simulator.stdout });
  const [line] = (await once(lines, 'line')) as [string];
  slowModel = (JSON.parse(line) as { url: string }).url;
});
afterAll(async () => {
  for (const end of ending) end();
  await rm(root, { recursive: true, force: true });
});

describe('a run in the process of the command', () => {
  test('[X9.commands] [X9.json] does the tasks, a JSON line for each event, and the result at the end', async () => {
    await openChange('three-files', ['out/a.txt', 'out/b.txt']);
    const plan = await clout('plan', 'three-files', '--simulate');
    expect(plan.lines).toMatchObject([{ slug: 'three-files', simulated: true, tasks: [{ id: '1.1' }, { id: '1.2' }] }]);
    const { code, lines } = await clout('run', 'three-files', '--simulate');
    expect(code).toBe(0);
    expect(lines[0]).toMatchObject({ type: 'run', run: { slug: 'three-files', simulated: true } });
    expect(lines.at(-1)).toMatchObject({ type: 'result', run: { status: 'completed' } });
    const seqs = lines.flatMap((line) => (line['type'] === 'event' ? [(line['event'] as { seq: number }).seq] : []));
    expect(seqs).toEqual(seqs.map((_, i) => i + 1));
    await access(path.join(root, 'out/b.txt'));
    expect((await clout('runs', 'show', 'last')).lines).toMatchObject([
      { run: { slug: 'three-files', status: 'completed' } },
    ]);
    const watched = await clout('runs', 'watch', 'last');
    expect([watched.code, watched.lines.filter((line) => line['type'] === 'event').length]).toEqual([0, seqs.length]);
    const archived = await clout('change', 'archive', 'three-files');
    expect(archived.lines).toMatchObject([{ slug: 'three-files', totals: { added: 1 } }]);
    expect(
      JSON.parse(await readFile(path.join(root, String(archived.lines[0]?.['receiptPath'])), 'utf8')),
    ).toMatchObject({ ledger: 'consulted', runs: [{ status: 'completed' }] });
  });

  test('[X1.pause] pauses when the money is used up, and goes on with more of it', async () => {
    await openChange('poor-change', ['poor/a.txt']);
    const poor = await clout('run', 'poor-change', '--simulate', '--budget', '0.001');
    expect([poor.code, poor.lines.at(-1)]).toMatchObject([
      6,
      { run: { status: 'paused', reason: { code: 'BUDGET_EXHAUSTED' } } },
    ]);
    expect(await clout('run', 'poor-change')).toMatchObject({ code: 4, lines: [{ error: { code: 'RUN_EXISTS' } }] });
    expect(await clout('run', 'poor-change', '--simulate', '--model', 'claude-other')).toMatchObject({ code: 4 });
    const rich = await clout('run', 'poor-change', '--simulate', '--budget', '0.20');
    expect([rich.code, rich.lines.at(-1)]).toMatchObject([0, { run: { status: 'completed' } }]);
    const runIds = [poor, rich].map(({ lines }) => (lines[0]?.['run'] as { id: string } | undefined)?.id);
    expect(runIds[1]).toBe(runIds[0]);
  });

  test('[X9.detach] Ctrl-C interrupts it, and it can be cancelled afterwards', async () => {
    await openChange('slow-change', ['slow/a.txt']);
    const child = start(['run', 'slow-change'], { ANTHROPIC_API_KEY: 'any', ANTHROPIC_API_URL: slowModel });
    const { code, lines } = await finish(child, (line) => typeOf(line) === 'model.started' && child.kill('SIGINT'));
    expect([code, lines.at(-1)]).toMatchObject([6, { type: 'interrupted' }]);
    expect((await clout('runs', 'list', '--change', 'slow-change')).lines).toMatchObject([
      { total: 1, items: [{ status: 'interrupted' }] },
    ]);
    expect((await clout('runs', 'watch', 'last')).code).toBe(6);
    expect((await clout('runs', 'cancel', 'last')).lines).toMatchObject([{ status: 'cancelled' }]);
    expect((await clout('runs', 'resume', 'last')).code).toBe(4);
  });

  test.each([
    ['runs', 'show', 'run_ffff'],
    ['runs', 'resume', 'run_ffffffffffffffffffffffffffffffff'],
  ])('%s %s of a run that does not exist is RUN_NOT_FOUND', async (...argv) => {
    expect(await clout(...argv)).toMatchObject({ code: 3, lines: [{ error: { code: 'RUN_NOT_FOUND' } }] });
  });

  test('a folder without openspec gets no data folder', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'clout-none-'));
    try {
      expect(await clout('--cwd', folder, 'runs', 'list')).toMatchObject({
        code: 3,
        lines: [{ error: { code: 'PROJECT_NOT_FOUND' } }],
      });
      await expect(access(path.join(folder, '.cloutagent'))).rejects.toThrow('ENOENT');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('beside a server', () => {
  test('[X9.detach] Ctrl-C detaches, the run goes on, and SIGTERM drains the server with exit code 0', async () => {
    const server = start(['up', '--port', '0'], { ANTHROPIC_API_KEY: 'any', ANTHROPIC_API_URL: slowModel });
    const ended = finish(server);
    await once(server.stdout, 'data');
    await openChange('beside-change', ['beside/a.txt']);
    const child = start(['run', 'beside-change']);
    const { code, lines } = await finish(child, (line) => typeOf(line) === 'model.started' && child.kill('SIGINT'));
    expect([code, lines.at(-1)]).toMatchObject([0, { type: 'detached' }]);
    expect((await clout('runs', 'show', 'last')).lines).toMatchObject([
      { run: { slug: 'beside-change', status: 'running' } },
    ]);
    expect(await clout('run', 'beside-change', '--simulate')).toMatchObject({
      code: 4,
      lines: [{ error: { code: 'RUN_EXISTS' } }],
    });
    expect(await clout('up', '--port', '0')).toMatchObject({
      code: 4,
      lines: [{ error: { code: 'DATA_FOLDER_IN_USE' } }],
    });
    server.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 0, lines: [{ keySet: true }] });
  });

  test('--detach leaves the run to a server in the background', async () => {
    await openChange('background-change', ['background/a.txt']);
    const { code, lines } = await clout('run', 'background-change', '--simulate', '--detach');
    const { pid } = JSON.parse(await readFile(path.join(root, '.cloutagent/server.json'), 'utf8')) as { pid: number };
    try {
      expect([code, lines]).toMatchObject([
        0,
        [{ run: { slug: 'background-change' }, url: expect.stringContaining('http://127.0.0.1:') as unknown }],
      ]);
      const watched = await clout('runs', 'watch', 'last');
      expect([watched.code, watched.lines.at(-1)]).toMatchObject([0, { run: { status: 'completed' } }]);
    } finally {
      process.kill(pid, 'SIGTERM');
    }
  });
});

test('[X7.owned] the simulator says what it is and ends with its stdin', async () => {
  const child = spawn(process.execPath, [BIN, 'simulate', '--exit-with-stdin'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  createInterface({ input: child.stdout }).once('line', (line) => {
    expect(JSON.parse(line)).toEqual({
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/u) as unknown,
      pid: child.pid,
    });
    child.stdin.end();
  });
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(stderr).toContain('simulator');
});
