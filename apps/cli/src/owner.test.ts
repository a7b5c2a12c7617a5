import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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

// Each test starts whole programs, several at once; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

let root: string;
let model: Record<string, string>;
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
const typeOf = (line: Line): string =>
  (line['event'] as { body: { type: string } } | undefined)?.body.type ?? String(line['type']);

/** A run and the moment at which its model is first asked. */
const startRun = (argv: readonly string[], environment = model) => {
  const child = start(['run', ...argv], environment);
  let begun: () => void;
  const asking = new Promise<void>((resolve) => (begun = resolve));
  const ended = finish(child, (line) => {
    if (typeOf(line) === 'model.started') begun();
  });
  return { child, asking, ended };
};

const openChange = async (slug: string, tasks: number): Promise<void> => {
  expect((await clout('change', 'open', slug, '--title', `Change ${slug}`)).code).toBe(0);
  const lines = Array.from({ length: tasks }, (_, i) => {
    const file = `${slug}/${i}.txt`;
    return `- [ ] 1.${i + 1} Write ${file}\n  - check: file ${file} exists\n`;
  });
  await writeFile(path.join(root, 'openspec/changes', slug, 'tasks.md'), `## 1. Files\n\n${lines.join('')}`);
};

const seqsOf = ({ lines }: Ended): number[] =>
  lines.flatMap((line) => (line['type'] === 'event' ? [(line['event'] as { seq: number }).seq] : []));

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'clout-owner-'));
  await clout('init');
  const simulator = spawn(process.execPath, [BIN, 'simulate', '--per-token-ms', '40', '--exit-with-stdin'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  ending.push(() => simulator.stdin.end());
  const [line] = (await once(createInterface({ input: simulator.stdout }), 'line')) as [string];
  model = { ANTHROPIC_API_KEY: 'any', ANTHROPIC_API_URL: (JSON.parse(line) as { url: string }).url };
});
afterAll(async () => {
  for (const end of ending) end();
  await rm(root, { recursive: true, force: true });
});

describe('commands that share a data folder without a server of its own', () => {
  test('[X9.detach] the first one stays until the run of the second one has ended', async () => {
    await openChange('short-one', 1);
    await openChange('long-one', 2);
    const first = startRun(['short-one']);
    await first.asking;
    const second = startRun(['long-one']);
    const [a, b] = await Promise.all([first.ended, second.ended]);
    expect([a.code, b.code]).toEqual([0, 0]);
    expect(a.stderr).toContain('Waiting for 1 other run(s) started from here');
    expect(b.lines.filter((line) => typeOf(line) === 'run.state').length).toBe(2);
  });

  test('[X2.kill] the second one takes the data folder and goes on when the first one is killed', async () => {
    await openChange('killed-one', 2);
    await openChange('left-one', 1);
    const first = startRun(['killed-one']);
    await first.asking;
    // A call that a crash cut off is booked at its bound, which is most of what so small a run would be given.
    const second = startRun(['left-one', '--budget', '0.50']);
    await second.asking;
    first.child.kill('SIGKILL');
    const b = await second.ended;
    expect([b.code, b.lines.at(-1)]).toMatchObject([0, { run: { slug: 'left-one', status: 'completed' } }]);
    const seqs = seqsOf(b);
    expect(seqs).toEqual(seqs.map((_, i) => i + 1));
    const again = await startRun(['killed-one', '--budget', '0.50']).ended;
    expect([again.code, again.lines.at(-1)]).toMatchObject([0, { run: { status: 'completed' } }]);
  });

  test('[X9.detach] Ctrl-C in the first one does not stop the second one', async () => {
    await openChange('stopped-one', 2);
    await openChange('going-one', 1);
    const first = startRun(['stopped-one']);
    await first.asking;
    const second = startRun(['going-one', '--budget', '0.50']);
    await second.asking;
    first.child.kill('SIGINT');
    expect(await first.ended).toMatchObject({ code: 6 });
    expect((await second.ended).code).toBe(0);
    await clout('runs', 'cancel', 'last');
  });

  test('a server that has no key is waited for, and replaced when it ends', async () => {
    await openChange('keyless-one', 8);
    await openChange('keyed-one', 1);
    const first = startRun(['keyless-one', '--simulate'], {});
    await first.asking;
    const b = await startRun(['keyed-one']).ended;
    expect((await first.ended).code).toBe(0);
    expect([b.code, b.lines.at(-1)]).toMatchObject([0, { run: { simulated: false, status: 'completed' } }]);
    expect(b.stderr).toContain('has no key; waiting');
  });

  test('[X2.one-live-run] run goes on with the run that a server drives, and refuses another kind', async () => {
    const server = start(['up', '--port', '0'], model);
    const ended = finish(server);
    await once(server.stdout, 'data');
    await openChange('live-one', 3);
    const first = startRun(['live-one']);
    await first.asking;
    for (const option of [['--simulate'], ['--model', 'claude-other'], ['--budget', '0.01']])
      expect(await clout('run', 'live-one', ...option)).toMatchObject({
        code: 4,
        lines: [{ error: { code: 'RUN_EXISTS' } }],
      });
    const b = await clout('run', 'live-one');
    const a = await first.ended;
    expect([a.code, b.code]).toEqual([0, 0]);
    expect(b.lines[0]).toMatchObject({
      run: { id: a.lines.map(({ run }) => run as { id: string } | undefined)[0]?.id },
    });
    expect(await clout('up', '--port', '0')).toMatchObject({
      code: 4,
      lines: [
        { error: { code: 'DATA_FOLDER_IN_USE', message: expect.stringMatching(/process \d+ at http:/u) as unknown } },
      ],
    });
    server.kill('SIGTERM');
    expect((await ended).code).toBe(0);
  });
});

describe('[X9.detach] a run whose reader goes away', () => {
  test('is finished when stdout is closed', async () => {
    await openChange('unread-one', 1);
    const child = start(['run', 'unread-one'], model);
    await once(child.stdout, 'data');
    child.stdout.destroy();
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect((await clout('runs', 'list', '--change', 'unread-one')).lines).toMatchObject([
      { items: [{ status: 'completed' }] },
    ]);
  });

  test('is interrupted cleanly when the terminal closes', async () => {
    await openChange('hung-one', 2);
    const run = startRun(['hung-one']);
    await run.asking;
    run.child.kill('SIGHUP');
    run.child.kill('SIGHUP');
    const { code, lines } = await run.ended;
    expect([code, lines.at(-1)]).toMatchObject([6, { type: 'interrupted' }]);
  });
});
