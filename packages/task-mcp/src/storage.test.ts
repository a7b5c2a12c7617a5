import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openProject } from '@cloutagent/openspec';
import { systemClock } from '@cloutagent/kit';
import { describe, expect, it } from 'vitest';
import { allEventsOf, linesOf, serveProject } from './harness.ts';
import { auth, spawned } from './process-harness.ts';

const INPUT = { title: 'T', slug: 'a-change' };
const OPEN = { tool: 'change.open', input: INPUT };

describe('[T10.storage] a disk that does not take a change', () => {
  it.each([
    ['ENOSPC', 'STORAGE_FULL'],
    ['EDQUOT', 'STORAGE_FULL'],
    ['EROFS', 'STORAGE_READONLY'],
    ['EACCES', 'STORAGE_READONLY'],
  ])('on %s answers %s 507 on every protocol, and the server lives on', async (errno, code) => {
    const root = await mkdtemp(join(tmpdir(), 'task-mcp-storage-'));
    const real = await openProject(root, { clock: systemClock, caller: 'tester' });
    let isFailing = true;
    const disk: typeof real.disk = (openspecDir) =>
      new Proxy(real.disk(openspecDir), {
        get: (target, name): unknown =>
          isFailing && name !== Symbol.dispose ? () => Promise.reject(refusal(errno)) : Reflect.get(target, name),
      });
    await using served = await serveProject({ project: { ...real, disk } });
    const plain = await served.post('/sse', OPEN);
    expect([plain.status, await plain.json()]).toMatchObject([507, { error: { code } }]);
    const sse = await served.post('/sse', OPEN, { accept: 'text/event-stream' });
    expect([sse.status, (await allEventsOf(sse))[0]?.event]).toEqual([507, 'error']);
    const ndjson = await served.post('/mcp', OPEN, { accept: 'application/x-ndjson' });
    expect([ndjson.status, await linesOf(ndjson)]).toMatchObject([507, [{ type: 'error', error: { code } }]]);
    const params = { name: 'change.open', arguments: INPUT };
    const rpc = await served.post('/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/call', params });
    expect(await rpc.json()).toMatchObject({ result: { isError: true, _meta: { 'io.cloutagent/error': { code } } } });
    isFailing = false;
    expect((await served.post('/sse', OPEN)).status).toBe(200);
    // The lock is given back after the answer.
    await rm(root, { recursive: true, maxRetries: 10 });
  });
});

const refusal = (code: string): Error => Object.assign(new Error(`${code} /a/path`), { code });

/** Root may write into any folder, so its server gives that up. As another user it might not find its own program. */
const THROUGH = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] : [];

describe('[T19.readonly] a folder that may only be read', () => {
  it('answers STORAGE_READONLY, and /health and /readyz say so', async () => {
    const root = await mkdtemp(join(tmpdir(), 'task-mcp-readonly-'));
    const openspec = join(root, 'openspec');
    await mkdir(openspec);
    await chmod(root, 0o755);
    await chmod(openspec, 0o555);
    await using server = await spawned({}, { root, through: THROUGH });
    const response = await fetch(`${server.url}/mcp`, {
      method: 'POST',
      headers: { ...auth, 'content-type': 'application/json' },
      body: JSON.stringify(OPEN),
    });
    // After 200 ms on a busy machine it is an event of a stream that has begun.
    expect([200, 507]).toContain(response.status);
    expect(await response.text()).toContain('"code":"STORAGE_READONLY"');
    const health = await fetch(`${server.url}/health`, { headers: auth });
    const details = { accessible: true, writable: false, path: openspec };
    expect([health.status, await health.json()]).toMatchObject([503, { checks: { filesystem: { details } } }]);
    const ready = await fetch(`${server.url}/readyz`);
    expect([ready.status, await ready.json()]).toMatchObject([503, { dependencies: { filesystem: false } }]);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    await rm(root, { recursive: true });
  });
});
