import { existsSync } from 'node:fs';
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog, startServer, type RunningServer } from '../index.ts';

const FAULTY = fileURLToPath(new URL('../../../../packages/mcp/src/fixtures/faulty-server.mjs', import.meta.url));

let root = '';
let server: RunningServer;

beforeEach(async () => {
  root = await realpath(await mkdtemp(path.join(tmpdir(), 'clout-mcp-')));
  server = await startServer({
    root,
    port: 0,
    host: '127.0.0.1',
    environment: {
      PATH: process.env['PATH'] ?? '',
      XDG_CONFIG_HOME: path.join(root, 'config'),
      AUTH_TOKENS: 'user-token',
      RATE_LIMIT: '0',
      REQUEST_TIMEOUT_MS: '1000',
    },
    user: 'ann',
    log: createLog('silent'),
    simulatorCommand: [process.execPath, '-e', ''],
  });
});
afterEach(async () => {
  await server.close();
  await rm(root, { recursive: true, force: true });
});

type Json = Record<string, unknown> & { error: { code: string; message: string } & string };

/** As the administrator, unless it is said otherwise. */
const ask = async (method: string, where: string, options: { body?: unknown; user?: true; accept?: string } = {}) => {
  const answer = await fetch(`${server.url}${where}`, {
    method,
    headers: {
      authorization: `Bearer ${options.user === true ? 'user-token' : server.token}`,
      'content-type': 'application/json',
      ...(options.accept === undefined ? {} : { accept: options.accept }),
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  const text = await answer.text();
  // Answers of an untyped wire: each test names what it expects of them.
  const body = text.startsWith('{') ? (JSON.parse(text) as Json) : ({} as Json);
  return { status: answer.status, body, text };
};

const entry = (mode = 'ok', more: Record<string, unknown> = {}) => ({
  id: 'faulty',
  transport: 'stdio',
  command: process.execPath,
  args: [FAULTY, mode],
  ...more,
});
const add = (more: Record<string, unknown> = {}, mode = 'ok') =>
  ask('POST', '/api/mcp/servers', { body: { config: entry(mode, more) } });

describe('[E1] [E9.admin-commands] a command is an administrator’s to give', () => {
  const marker = (): string => path.join(root, 'started');
  const planted = () => ({ command: '/bin/sh', args: ['-c', `touch ${marker()}`] });

  it.each([
    ['to be registered', '/api/mcp/servers', () => ({ config: { id: 'x', transport: 'stdio', ...planted() } })],
    ['to be registered as a preset', '/api/mcp/servers', () => ({ preset: 'filesystem', args: [root] })],
    [
      'to be tried, in the shape of the seed',
      '/api/mcp/test-connection',
      () => ({ id: 'x', name: 'x', transport: 'stdio', ...planted() }),
    ],
    [
      'to be tried under the id of a registered one',
      '/api/mcp/test-connection',
      () => ({ id: 'filesystem', ...planted() }),
    ],
    [
      'an address to be tried',
      '/api/mcp/test-connection',
      () => ({ id: 'x', transport: 'sse', url: 'http://127.0.0.1:1/' }),
    ],
  ])('whoever is none and sends one %s starts nothing', async (_what, where, body) => {
    for (const accept of ['application/json', 'text/event-stream']) {
      const answer = await ask('POST', where, { body: body(), user: true, accept });
      expect([answer.status, answer.body.error.code]).toEqual([403, 'FORBIDDEN']);
    }
    expect(existsSync(marker())).toBe(false);
  });

  it('nobody but an administrator approves or removes', async () => {
    await add();
    for (const [method, where] of [
      ['POST', '/api/mcp/servers/faulty/approve'],
      ['DELETE', '/api/mcp/servers/faulty'],
    ] as const)
      expect((await ask(method, where, { user: true, ...(method === 'POST' ? { body: {} } : {}) })).status).toBe(403);
  });

  it('an entry that was changed in the file is started for nobody until it is approved', async () => {
    await add();
    const file = path.join(root, '.cloutagent/mcp.json');
    await writeFile(file, (await readFile(file, 'utf8')).replace('"ok"', `"ok", "${marker()}"`));
    for (const [where, body] of [
      ['/api/mcp/servers/faulty/test', {}],
      ['/api/mcp/servers/faulty/call', { tool: 'echo' }],
    ] as const) {
      const answer = await ask('POST', where, { body, user: true });
      expect([answer.status, answer.body.error.code]).toEqual([403, 'MCP_NOT_APPROVED']);
    }
    const tried = await ask('POST', '/api/mcp/test-connection', { body: { id: 'faulty' } });
    expect(tried.body.error.code).toBe('MCP_NOT_APPROVED');
    const listed = await ask('GET', '/api/mcp/servers');
    const status = (listed.body['servers'] as Json[])[1];
    expect(status?.['approved']).toBe(false);
    const wrong = await ask('POST', '/api/mcp/servers/faulty/approve', { body: { digest: 'another' } });
    expect(wrong.body.error.code).toBe('MCP_NOT_APPROVED');
    await ask('POST', '/api/mcp/servers/faulty/approve', { body: { digest: status?.['digest'] } });
    expect((await ask('POST', '/api/mcp/servers/faulty/test', { body: {}, user: true })).body['success']).toBe(true);
  });
});

describe('[E9.test-connection] POST /api/mcp/test-connection', () => {
  it('answers with the JSON and the status of the seed', async () => {
    const { id: _id, ...config } = entry();
    const body = { ...config, id: 'mcp-1764', name: 'New MCP Server', type: 'custom', enabled: true, env: {} };
    const good = await ask('POST', '/api/mcp/test-connection', { body });
    expect(good.status).toBe(200);
    expect(Object.keys(good.body)).toEqual(['success', 'tools']);
    expect((good.body['tools'] as Json[])[0]).toMatchObject({ name: 'echo', inputSchema: { type: 'object' } });
    const bad = await ask('POST', '/api/mcp/test-connection', { body: { ...body, args: [FAULTY, 'die-at-once'] } });
    expect(bad.status).toBe(400);
    expect(bad.body).toEqual({ success: false, error: expect.stringContaining('exit code 3') });
    const none = await ask('POST', '/api/mcp/test-connection', { body: { id: 'unknown' } });
    expect([none.status, none.body.error.code]).toEqual([404, 'MCP_SERVER_NOT_FOUND']);
  });

  const stepsOf = (text: string): Json[] =>
    [...text.matchAll(/^event: step\r?\ndata: (.*)$/gmu)].map(([, data = '']) => JSON.parse(data) as Json);

  it('streams its steps, with the end of stderr where it fails', async () => {
    const stream = (args: readonly string[]) =>
      ask('POST', '/api/mcp/test-connection', { body: { ...entry(), args }, accept: 'text/event-stream' });
    const good = stepsOf((await stream([FAULTY, 'ok'])).text);
    expect(good.map(({ step }) => step)).toEqual(['spawn', 'initialize', 'tools/list', 'done']);
    expect(good[1]).toMatchObject({ protocolVersion: '2025-11-25', era: 'legacy', serverInfo: { name: 'faulty' } });
    const bad = stepsOf((await stream([FAULTY, 'die-at-once'])).text);
    expect(bad.map(({ step }) => step)).toEqual(['spawn', 'failed']);
    expect(bad[1]).toMatchObject({ success: false, stderr: 'cannot find my configuration' });
  });

  it('tries a registered one; others than administrators have a route of their own for that', async () => {
    await add();
    expect((await ask('POST', '/api/mcp/test-connection', { body: { id: 'faulty' } })).body['success']).toBe(true);
    const answer = await ask('POST', '/api/mcp/servers/faulty/test', { body: {}, user: true });
    expect(answer.body['success']).toBe(true);
  });
});

describe('the registry over HTTP', () => {
  it('adds, lists, uses and removes', async () => {
    expect((await add({ env: { TOKEN: 'env:HOME', MODE: 'literal' } })).status).toBe(201);
    expect((await add()).body.error.code).toBe('MCP_SERVER_EXISTS');
    const shown = async (user?: true) =>
      ((await ask('GET', '/api/mcp/servers', user === undefined ? {} : { user })).body['servers'] as Json[])[1]?.[
        'config'
      ];
    expect(await shown()).toMatchObject({ env: { TOKEN: 'env:HOME', MODE: 'literal' } });
    expect(await shown(true)).toMatchObject({ env: { TOKEN: 'env:HOME', MODE: '(hidden)' } });

    const call = await ask('POST', '/api/mcp/servers/faulty/call', {
      body: { tool: 'echo', input: { text: 'hello' } },
      user: true,
    });
    expect(call.body).toEqual({ content: [{ type: 'text', text: 'hello' }], isError: false });
    const tools = await ask('GET', '/api/mcp/servers/faulty/tools', { user: true });
    expect((tools.body['tools'] as Json[]).map(({ name }) => name)).toContain('echo');
    const wrong = await ask('POST', '/api/mcp/servers/faulty/call', { body: { tool: 'nothing' } });
    expect([wrong.status, wrong.body.error.code]).toEqual([404, 'TOOL_NOT_FOUND']);

    const [, status] = (await ask('GET', '/api/mcp/servers')).body['servers'] as Json[];
    expect(status).toMatchObject({ state: 'ready', approved: true, era: 'legacy', connections: 1, restarts: 0 });
    expect((await ask('DELETE', '/api/mcp/servers/faulty')).body).toEqual({ id: 'faulty', removed: true });
    expect((await ask('POST', '/api/mcp/servers/faulty/call', { body: { tool: 'echo' } })).status).toBe(404);
  });

  it('[E12] a tool that appeared later is off until the server is approved again', async () => {
    await add();
    const call = (tool: string, input: unknown = {}) =>
      ask('POST', '/api/mcp/servers/faulty/call', { body: { tool, input } });
    await call('mutate');
    const tools = async () => (await ask('GET', '/api/mcp/servers/faulty/tools')).body;
    await expect
      .poll(async () => (await tools())['drift'])
      .toEqual({ added: ['extra'], changed: ['echo'], removed: [] });
    expect((await call('extra')).body.error.code).toBe('TOOL_NOT_FOUND');
    expect((await call('echo')).body.error.code).toBe('TOOL_NOT_FOUND');
  });

  it('a tool may take longer than a request, within its own limit', async () => {
    await add();
    const call = (more: object) => ask('POST', '/api/mcp/servers/faulty/call', { body: { tool: 'progress', ...more } });
    expect((await call({})).body).toMatchObject({ isError: false });
    expect((await call({ timeoutMs: 200 })).body.error.code).toBe('REQUEST_TIMEOUT');
  });

  it('a preset that comes with us is added by name; others are said', async () => {
    const added = await ask('POST', '/api/mcp/servers', { body: { preset: 'filesystem', args: [root] } });
    expect(added.body).toMatchObject({ config: { id: 'filesystem-2', preset: 'filesystem' }, approved: true });
    const call = await ask('POST', '/api/mcp/servers/filesystem-2/call', {
      body: { tool: 'list_directory', input: { path: root } },
    });
    expect(JSON.stringify(call.body)).toContain('.cloutagent');
    const missing = await ask('POST', '/api/mcp/servers', { body: { preset: 'sqlite' } });
    expect(missing.body.error.message).toContain('the file of the database');
    expect((await ask('POST', '/api/mcp/servers', { body: { preset: 'nothing' } })).body.error.code).toBe(
      'INVALID_INPUT',
    );
    const presets = (await ask('GET', '/api/mcp/presets')).body['presets'] as { package?: { version: string } }[];
    // [E14.pinned] exact versions only
    for (const { package: from } of presets) expect(from?.version ?? '0.0.0').toMatch(/^\d+\.\d+\.\d+$/u);
  });
});

describe('[E16] secrets of an entry', () => {
  const SECRET = 'sk-planted-secret-1';

  it('are in no answer, and are sealed with another key by an administrator alone', async () => {
    const added = await add({ env: { API_TOKEN: SECRET, MODE: 'fast' } });
    expect([added.status, added.text]).toEqual([201, expect.stringContaining('"API_TOKEN":"secret:') as string]);
    const listed = await ask('GET', '/api/mcp/servers');
    for (const { text } of [added, listed]) expect(text).not.toContain(SECRET);
    expect(listed.text).toContain('"MODE":"fast"');
    const kept = (): Promise<string> => readFile(path.join(root, '.cloutagent', 'secrets.json'), 'utf8');
    const before = await kept();
    // The route `mcpRekey`.
    expect((await ask('POST', '/api/mcp/rekey', { user: true })).status).toBe(403);
    expect(await kept()).toBe(before);
    expect(await ask('POST', '/api/mcp/rekey')).toMatchObject({ status: 200, body: { secrets: 1 } });
    expect(await kept()).not.toBe(before);
    expect((await ask('POST', '/api/mcp/servers/faulty/test')).body).toMatchObject({ success: true });
  });

  it('[SECRET_UNREADABLE] of another key stop their server, with what helps', async () => {
    await add({ env: { API_TOKEN: SECRET } });
    const file = path.join(root, '.cloutagent', 'secrets.json');
    await writeFile(file, (await readFile(file, 'utf8')).replace(/"key": "./u, '"key": "x'));
    const { status, body } = await ask('POST', '/api/mcp/servers/faulty/test');
    expect([status, body.error.code]).toEqual([422, 'SECRET_UNREADABLE']);
  });
});
