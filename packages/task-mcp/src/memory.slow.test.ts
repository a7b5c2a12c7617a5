import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@cloutagent/kit';
import { expect, it } from 'vitest';
import { spawned } from './process-harness.ts';

/** The text of the heap once all of it is written. */
const heapIn = async (folder: string): Promise<string> => {
  for (;;) {
    const file = (await readdir(folder)).find((name) => name.endsWith('.heapsnapshot'));
    const text = file === undefined ? '' : await readFile(join(folder, file), 'utf8');
    if (text.endsWith(']}')) return text;
    await systemClock.sleep(200);
  }
};

it('[H1] [T5.constant-time, T17.secrets] no token, configured or sent, lies in the memory or the log of a server', async () => {
  const root = await mkdtemp(join(tmpdir(), 'task-mcp-heap-'));
  const environment = { AUTH_TOKENS: 'canary-one,canary-two', ADMIN_TOKENS: 'canary-admin', DEBUG: 'task-mcp:*' };
  // Who watches over the time of a request holds on to it for so long.
  const watched = { ...environment, REQUEST_TIMEOUT_MS: '2000' };
  await using server = await spawned(watched, { root, cwd: root, node: ['--heapsnapshot-signal=SIGUSR2'] });
  for (const token of ['canary-one', 'canary-admin', 'canary-wrong']) {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'x-debug': 'true' };
    const body = JSON.stringify({ tool: 'changes.active' });
    expect((await fetch(`${server.url}/mcp`, { method: 'POST', headers, body })).ok).toBe(token !== 'canary-wrong');
  }
  const cookie = 'task-mcp-auth=canary-two';
  expect((await fetch(`${server.url}/health`, { headers: { cookie } })).status).toBe(200);
  // A connection that is kept holds on to its last request; after 5 s without another it goes.
  await systemClock.sleep(8000);
  server.child.kill('SIGUSR2');
  const heap = await heapIn(root);
  expect(heap).toContain('task-mcp-auth');
  expect(heap.match(/canary[\w-]*/gu)).toBeNull();
  expect(server.logs.join('\n')).not.toContain('canary');
  await rm(root, { recursive: true });
}, 120_000);
