import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

const BIN = fileURLToPath(new URL('../bin/clout.mjs', import.meta.url));
const FAULTY = fileURLToPath(new URL('../../../packages/mcp/src/fixtures/faulty-server.mjs', import.meta.url));
const SAMPLE = fileURLToPath(new URL('../../../examples/first-change', import.meta.url));

// Each test starts whole programs, one after another; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 });

let base = '';
let root = '';
beforeAll(async () => {
  base = await mkdtemp(path.join(tmpdir(), 'clout-mcp-'));
  root = path.join(base, 'project');
  await cp(SAMPLE, root, { recursive: true });
});
afterAll(() => rm(base, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  /** The one document that was printed. */
  readonly json: Record<string, unknown>;
}

const start = (argv: readonly string[]) =>
  spawn(process.execPath, [BIN, ...argv, '--json'], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'], HOME: base },
  });

const clout = async (...argv: readonly string[]): Promise<Ended> => {
  const child = start(argv);
  child.stdin.end();
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, json: JSON.parse(text) as Ended['json'] };
};
const codeOf = ({ json }: Ended): unknown => (json['error'] as { code?: string } | undefined)?.code;

test('clout mcp adds, tries, calls, approves and removes a server, without a running one', async () => {
  const added = await clout(
    'mcp',
    'add',
    '--command',
    process.execPath,
    '--id',
    'mine',
    '--args',
    FAULTY,
    'ok',
    '--env',
    'A=env:HOME',
  );
  expect([added.code, added.json]).toEqual([0, expect.objectContaining({ approved: true, state: 'idle' })]);
  expect((await clout('mcp', 'add', '--command', 'x', '--id', 'mine')).code).toBe(4);

  const tested = await clout('mcp', 'test', 'mine');
  expect([tested.code, tested.json['success']]).toEqual([0, true]);
  const called = await clout('mcp', 'call', 'mine', 'echo', '{"text":"hello"}');
  expect([called.code, called.json['content']]).toEqual([0, [{ type: 'text', text: 'hello' }]]);
  expect((await clout('mcp', 'call', 'mine', 'refuse')).code).toBe(1);
  expect(codeOf(await clout('mcp', 'call', 'mine', 'echo', 'not json'))).toBe('INVALID_INPUT');
  expect(codeOf(await clout('mcp', 'call', 'nobody', 'echo'))).toBe('MCP_SERVER_NOT_FOUND');
  expect(codeOf(await clout('mcp', 'add', '--id', 'nothing'))).toBe('INVALID_INPUT');

  await clout('mcp', 'add', '--command', process.execPath, '--id', 'broken', '--args', FAULTY, 'die-at-once');
  const failed = await clout('mcp', 'test', 'broken');
  expect([failed.code, failed.json['success']]).toEqual([7, false]);
});

test('the same commands use the server that owns the data folder', async () => {
  const up = start(['up', '--port', '0']);
  try {
    await once(up.stdout, 'data');
    expect((await clout('mcp', 'approve', 'mine')).json['approved']).toBe(true);
    const tools = await clout('mcp', 'tools', 'mine');
    expect((tools.json['tools'] as { name: string }[]).map(({ name }) => name)).toContain('echo');
    const listed = (await clout('mcp', 'list')).json['servers'] as { config: { id: string }; state: string }[];
    expect(listed.map(({ config, state }) => [config.id, state])).toContainEqual(['mine', 'ready']);
    expect((await clout('mcp', 'remove', 'mine')).json).toEqual({ id: 'mine', removed: true });
    expect((await clout('mcp', 'remove', 'mine')).code).toBe(3);
  } finally {
    const gone = once(up, 'close');
    up.kill('SIGTERM');
    await gone;
  }
});
