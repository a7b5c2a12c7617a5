import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const BIN = fileURLToPath(new URL('../../bin/task-mcp.mjs', import.meta.url));

interface Answer {
  readonly id?: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number };
}

/** The real process on an empty folder. */
const start = async (args: readonly string[] = [], env: Record<string, string> = {}) => {
  const root = await mkdtemp(join(tmpdir(), 'task-mcp-stdio-'));
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '', HOME: root, LOG_LEVEL: 'debug', ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const exited = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    root,
    exited,
    stdout: () => stdout,
    stderr: () => stderr,
    send: (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`),
    /** The next answer; what the server tells of its own accord may come before it. */
    next: async () => {
      for (;;) {
        const message = JSON.parse(String((await lines.next()).value)) as Answer;
        if (message.id !== undefined) return message;
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
      await rm(root, { recursive: true, force: true });
    },
  };
};

describe('task-mcp on stdio', () => {
  it('[T22.no-handshake] answers tools/list from a pipe and ends with it', async () => {
    await using server = await start();
    server.child.stdin.end('{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n');
    expect(await server.exited).toBe(0);
    const [line, ...more] = server.stdout().trimEnd().split('\n');
    expect(more).toEqual([]);
    const { result } = JSON.parse(line ?? '') as { result: { tools: Record<string, unknown>[] } };
    expect(result.tools).toMatchObject([
      { name: 'change.open', title: 'Open a change', inputSchema: { type: 'object', required: ['title', 'slug'] } },
      { name: 'change.archive', annotations: { destructiveHint: true } },
      { name: 'changes.active', outputSchema: { type: 'object', required: ['page', 'pageSize', 'total', 'items'] } },
    ]);
    expect(JSON.stringify(result)).not.toMatch(/"null"|anyOf|9007199254740991/u);
    expect(result.tools[0]?.['inputSchema']).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      properties: {
        template: { type: 'string', enum: ['feature', 'bugfix', 'chore'] },
        slug: { description: 'URL-friendly identifier (3-64 chars, alphanumeric + hyphens)' },
        ttl: { minimum: 60, maximum: 86_400, description: expect.stringContaining('1 minute to 24 hours') as string },
      },
    });
  });

  it('finishes the work that is on its way when its input ends', async () => {
    await using server = await start();
    const params = { name: 'change.open', arguments: { title: 'T', slug: 'a-change' } };
    server.child.stdin.end(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })}\n`);
    expect(await server.exited).toBe(0);
    expect(server.stdout()).toContain("Change 'a-change' created successfully");
  });

  it('[T3.stdio, T3.stdio-eras] shakes hands, calls, reads and ends when its input ends', async () => {
    await using server = await start();
    const info = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
    server.send({ id: 1, method: 'initialize', params: info });
    expect((await server.next()).result).toMatchObject({ protocolVersion: '2025-11-25' });
    server.send({ method: 'notifications/initialized' });
    server.send({
      id: 2,
      method: 'tools/call',
      params: { name: 'change.open', arguments: { title: 'T', slug: 'a-change' } },
    });
    expect((await server.next()).result).toMatchObject({
      content: [{ type: 'text' }, { type: 'resource_link' }, {}, {}],
    });
    server.send({ id: 3, method: 'resources/read', params: { uri: 'change://a-change/tasks' } });
    expect((await server.next()).result).toMatchObject({ contents: [{ mimeType: 'text/markdown' }] });
    server.send({ id: 4, method: 'tools/call', params: { name: 'changes.active' } });
    const page = (await server.next()).result?.['structuredContent'];
    expect(page).toMatchObject({ items: [{ paths: { root: join(server.root, 'openspec/changes/a-change') } }] });
    server.child.stdin.end();
    expect(await server.exited).toBe(0);
    for (const line of server.stdout().trimEnd().split('\n'))
      expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' });
  });

  it('[T3.stdio-eras] speaks the stateless era', async () => {
    await using server = await start();
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    server.send({ id: 1, method: 'server/discover', params: { _meta } });
    expect((await server.next()).result).toMatchObject({ supportedVersions: ['2026-07-28'] });
    server.send({ id: 2, method: 'tools/list', params: { _meta } });
    expect((await server.next()).result).toMatchObject({
      resultType: 'complete',
      ttlMs: 300_000,
      cacheScope: 'public',
    });
  });

  it.each(['its input ends', 'nobody reads its answers'])('[E10] ends when %s', async (how) => {
    await using server = await start();
    server.send({ id: 1, method: 'tools/list' });
    expect((await server.next()).id).toBe(1);
    // The end of the process is waited for, not that of its pipes.
    const gone = once(server.child, 'exit');
    if (how === 'its input ends') server.child.stdin.end();
    else {
      server.child.stdout.destroy();
      server.send({ id: 2, method: 'tools/list' });
    }
    expect((await gone)[0]).toBe(0);
  });

  it('lives on after lines that are no message, and says so on stderr only', async () => {
    await using server = await start();
    server.child.stdin.write('hello\n{"hello":1}\n');
    server.send({ id: 1, method: 'tools/list' });
    expect((await server.next()).id).toBe(1);
    server.child.stdin.end();
    await server.exited;
    expect(server.stdout().trimEnd().split('\n')).toHaveLength(1);
    expect(server.stderr()).toContain('"message":"stdio"');
  });

  it('ends quietly when its reader goes away', async () => {
    await using server = await start();
    server.send({ id: 1, method: 'tools/list' });
    await server.next();
    server.child.stdout.destroy();
    server.send({ id: 2, method: 'tools/list' });
    expect(await server.exited).toBe(0);
  });
});

describe('task-mcp', () => {
  it('shows its help and refuses what it does not know', async () => {
    await using help = await start(['--help']);
    expect([await help.exited, help.stdout()]).toEqual([0, expect.stringContaining('usage: task-mcp') as string]);
    await using wrong = await start(['--port']);
    expect([await wrong.exited, wrong.stderr()]).toEqual([2, expect.stringContaining('VALIDATION_ERROR') as string]);
  });

  it('[T25.requests] serves HTTP until it is told to stop', async () => {
    await using server = await start(['--http'], { PORT: '0' });
    let url = '';
    while (url === '') {
      await new Promise((resolve) => {
        server.child.stderr.once('data', resolve);
      });
      url = /"url":"([^"]+)"/u.exec(server.stderr())?.[1] ?? '';
    }
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    server.child.kill('SIGTERM');
    expect(await server.exited).toBe(0);
  });

  it('[T5.refuse-bind] does not listen to the world without tokens', async () => {
    await using server = await start(['--http'], { PORT: '0', HOST: '0.0.0.0' });
    expect([await server.exited, server.stderr()]).toEqual([5, expect.stringContaining('AUTH_TOKENS') as string]);
  });
});
