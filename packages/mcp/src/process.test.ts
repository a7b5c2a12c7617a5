import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { systemClock } from '@cloutagent/kit';
import { describe, expect, test } from 'vitest';
import { openStdioServer } from './stdio.ts';

const FAULTY = fileURLToPath(new URL('fixtures/faulty-server.mjs', import.meta.url));
const PARENT = fileURLToPath(new URL('fixtures/parent.mjs', import.meta.url));
const FILESYSTEM = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-filesystem/dist/index.js');

/** Processes of a group, zombies left out. */
const groupOf = async (pid: number): Promise<string[]> => {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pgid=,pid=,stat=,args=']);
  return stdout.split('\n').filter((line) => {
    const [group, , state] = line.trim().split(/\s+/u);
    return group === String(pid) && state?.startsWith('Z') === false;
  });
};

const groupIdOf = async (pid: string): Promise<number> => {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'pgid=', '-p', pid]);
  return Number(stdout.trim());
};

const eventuallyEmpty = async (group: number): Promise<string[]> => {
  let left = await groupOf(group);
  for (let i = 0; left.length > 0 && i < 100; i += 1) {
    await systemClock.sleep(50);
    left = await groupOf(group);
  }
  return left;
};

describe('[E5.tree] [E9] processes end with us', () => {
  test('close ends a wrapper, a server and its child that all ignore stdin and SIGTERM', async () => {
    const connection = await openStdioServer(
      {
        transport: 'stdio',
        id: 'faulty',
        command: 'sh',
        args: ['-c', `"${process.execPath}" "${FAULTY}" stubborn; true`],
        env: {},
        cwd: process.cwd(),
      },
      { env: process.env, clock: systemClock, log: () => {} },
    );
    const { content } = await connection.call('pid', {}, { signal: new AbortController().signal, idempotencyKey: 'k' });
    const group = await groupIdOf(String(content[0]?.['text']));
    expect((await groupOf(group)).length).toBe(3);
    await connection.close();
    expect(await groupOf(group)).toEqual([]);
  });

  test('close ends a server that ignores both itself', async () => {
    const connection = await openStdioServer(
      { transport: 'stdio', id: 'faulty', command: process.execPath, args: [FAULTY, 'stubborn'], env: {}, cwd: '/' },
      { env: process.env, clock: systemClock, log: () => {} },
    );
    const { pid = 0 } = connection;
    expect((await groupOf(pid)).length).toBe(2);
    await connection.close();
    expect(await groupOf(pid)).toEqual([]);
    expect(await connection.closed).toContain('SIGKILL');
  });

  test('kill -9 of the parent ends the whole tree', async () => {
    const parent = spawn(process.execPath, [PARENT], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const group = await groupIdOf(line.toString().trim());
    expect((await groupOf(group)).length).toBe(3);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    expect(await eventuallyEmpty(group)).toEqual([]);
  });
});

describe('the real filesystem server', () => {
  test('writes and reads files, and refuses paths outside of its root', async () => {
    const root = await mkdtemp(join(tmpdir(), 'mcp-fs-'));
    const connection = await openStdioServer(
      { transport: 'stdio', id: 'files', command: process.execPath, args: [FILESYSTEM, root], env: {}, cwd: root },
      { env: process.env, clock: systemClock, log: () => {} },
    );
    const options = { signal: new AbortController().signal, idempotencyKey: 'k' };
    try {
      expect(connection.tools().map((tool) => tool.name)).toContain('write_file');
      const written = await connection.call('write_file', { path: join(root, 'a.txt'), content: 'hello' }, options);
      expect(written.isError).toBe(false);
      expect(await readFile(join(root, 'a.txt'), 'utf8')).toBe('hello');
      const outside = await connection.call('write_file', { path: '/etc/planted', content: 'no' }, options);
      expect(outside.isError).toBe(true);
      const wrong = await connection.call('write_file', { path: 5 }, options);
      expect(wrong.isError).toBe(true);
    } finally {
      await connection.close();
      await rm(root, { recursive: true });
    }
    expect(await connection.closed).toContain('ended');
  });
});
