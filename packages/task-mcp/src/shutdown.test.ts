import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '@cloutagent/kit';
import { until } from './harness.ts';
import { auth, spawned } from './process-harness.ts';

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

describe('[H13] [T25.streams] a signal to stop', () => {
  it('ends open streams with an event that says when to come back, and exits with 0', async () => {
    await using server = await spawned();
    const events = await fetch(`${server.url}/sse`, { headers: { ...auth, accept: 'text/event-stream' } });
    expect(events.status).toBe(200);
    server.child.kill('SIGTERM');
    expect(await events.text()).toMatch(/event: shutdown\nretry: \d+\ndata: \{"ts":\d+\}\n\n$/u);
    expect(await server.exited).toEqual([0, null]);
    await expect(fetch(`${server.url}/readyz`)).rejects.toThrow('fetch failed');
  });

  it('lets a request that has begun come to its end, and answers 503 to what begins after', async () => {
    await using server = await spawned();
    const { port } = new URL(server.url);
    const body = JSON.stringify({ tool: 'change.open', input: { title: 'Kept', slug: 'kept' } });
    const socket = connect(Number(port), '127.0.0.1');
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
    const head = `POST /mcp HTTP/1.1\r\nHost: localhost:${port}\r\nAuthorization: Bearer devtoken\r\nContent-Type: application/json\r\n`;
    socket.write(`${head}Expect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`);
    await until(() => answer.includes('100 Continue'));
    const late = connect(Number(port), '127.0.0.1');
    let refusal = '';
    late.setEncoding('utf8').on('data', (chunk: string) => (refusal += chunk));
    late.write(`GET /readyz HTTP/1.1\r\nHost: localhost:${port}\r\n`);
    await once(late, 'connect');
    await systemClock.sleep(50);
    server.child.kill('SIGTERM');
    await systemClock.sleep(50);
    late.write('\r\n');
    await until(() => refusal.includes('SHUTTING_DOWN'));
    expect(refusal).toMatch(/^HTTP\/1\.1 503 [\s\S]*Retry-After: 1\r\n/u);
    socket.write(body);
    await until(() => answer.includes('"type":"end"'));
    expect(answer).toContain("Change 'kept' created");
    expect(await server.exited).toEqual([0, null]);
  });

  it('that comes twice ends at once', async () => {
    await using server = await spawned();
    const { port } = new URL(server.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => undefined);
    const head = `POST /mcp HTTP/1.1\r\nHost: localhost:${port}\r\nAuthorization: Bearer devtoken\r\n`;
    socket.write(`${head}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`);
    // It has begun, and will not end by itself.
    await once(socket, 'data');
    server.child.kill('SIGTERM');
    const isClosed = async (): Promise<boolean> => {
      const probe = connect(Number(port), '127.0.0.1');
      const closed = await Promise.race([
        once(probe, 'connect').then(() => false),
        once(probe, 'error').then(() => true),
      ]).catch(() => true);
      probe.destroy();
      return closed;
    };
    while (!(await isClosed())) await systemClock.sleep(10);
    expect(server.child.exitCode).toBeNull();
    server.child.kill('SIGTERM');
    expect(await server.exited).toEqual([null, 'SIGTERM']);
    socket.destroy();
  });
});

describe('[T19.port, T19.workdir] the environment of the process', () => {
  it('chooses port, host, folder and whether X-Debug is answered', async () => {
    const root = await realpath(await mkdtemp(join(tmpdir(), 'task-mcp-environment-')));
    const openspec = join(root, 'openspec');
    await mkdir(openspec);
    const port = await freePort();
    const environment = { PORT: String(port), HOST: 'localhost', WORKING_DIRECTORY: openspec, NODE_ENV: 'production' };
    await using server = await spawned(environment, { root });
    expect(server.url).toBe(`http://localhost:${port}`);
    const headers = { ...auth, 'x-debug': 'true' };
    const health = await fetch(`${server.url}/health`, { headers });
    expect(health.headers.get('x-debug')).toBeNull();
    expect(await health.json()).toMatchObject({ checks: { filesystem: { details: { path: openspec } } } });
    await using taken = await spawned({ PORT: String(port) });
    expect([await taken.exited, taken.logs]).toEqual([[2, null], [expect.stringContaining('EADDRINUSE') as string]]);
    await using other = await spawned({ NODE_ENV: 'development' });
    const told = await fetch(`${other.url}/health`, { headers });
    expect(told.headers.get('x-debug')).toContain('GET /health');
    await rm(root, { recursive: true });
  });
});

describe('[T17.stderr, T17.audit, T17.level] stderr', () => {
  it('is JSON lines: audit by default, and the debug lines that DEBUG names', async () => {
    await using server = await spawned({ DEBUG: 'task-mcp:*' });
    const call = { tool: 'changes.active', input: {} };
    const json = { 'content-type': 'application/json' };
    const post = (token: string) =>
      fetch(`${server.url}/mcp`, {
        method: 'POST',
        headers: { ...json, authorization: `Bearer ${token}` },
        body: JSON.stringify(call),
      });
    await (await post('devtoken')).text();
    await (await post('canary-token')).text();
    await until(() => server.logs.length >= 5);
    const lines = server.logs.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.filter(({ message }) => message === 'request').every(({ level }) => level === 'debug')).toBe(true);
    expect(lines.filter(({ message }) => message === 'audit')).toMatchObject([
      { who: expect.stringMatching(/^user-/u) as string, tool: 'changes.active', result: 'ok', route: '/mcp' },
      { who: 'anonymous', result: 'denied', code: 'AUTHENTICATION_FAILED' },
    ]);
    expect(server.logs.join('')).not.toMatch(/devtoken|canary/u);
  });

  it('stays silent where LOG_LEVEL and AUDIT_LOG say so, and the audit goes to a file of its own', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'task-mcp-audit-'));
    const file = join(folder, 'audit.jsonl');
    await using server = await spawned({ AUDIT_LOG: file });
    await fetch(`${server.url}/sse`, { method: 'POST' });
    server.child.kill('SIGTERM');
    await server.exited;
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ route: '/sse', status: 401, result: 'denied' });
    expect(server.logs.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual(['listening']);
    // The seed names levels in DEBUG; they are shown whatever LOG_LEVEL says.
    await using named = await spawned({ DEBUG: 'task-mcp:error,task-mcp:info', LOG_LEVEL: 'error', AUDIT_LOG: 'off' });
    expect(named.logs).toEqual([expect.stringContaining('"level":"info","message":"listening"') as string]);
    await using quiet = await spawned({ LOG_LEVEL: 'debug', AUDIT_LOG: 'off' });
    await fetch(`${quiet.url}/sse`, { method: 'POST' });
    await until(() => quiet.logs.length === 2);
    expect(quiet.logs[1]).toContain('"level":"debug","message":"request"');
    await rm(folder, { recursive: true });
  });
});
