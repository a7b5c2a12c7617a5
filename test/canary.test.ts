import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { startServer, type RunningServer } from '@cloutagent/server';
import { startSimulator, type Rule } from '@cloutagent/simulator';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { leak } from './support/leaking-server.mjs';

const LEAKING = fileURLToPath(new URL('support/leaking-server.mjs', import.meta.url));
const KINDS = ['text', 'structured', 'error', 'refuse', 'spill', 'link', 'key'];

/** A secret for each place where one can be; their common part is what is looked for. */
const MARK = 'canary7f3a9';
const canary = (place: string): string => `sk-${MARK}-${place}`;
const LOCAL = ['a', 'b', 'c', 'd', 'e', 'f'];
const REMOTE = ['a', 'b', 'c', 'd'];

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A model that calls every tool of both servers, one a turn, and repeats what it read. */
const RULES: readonly Rule[] = [
  ...['local', 'remote'].flatMap((server) =>
    KINDS.map((kind, index): Rule => ({
      when: { lastMessage: { regex: '.' }, system: server, turn: index + 1 },
      answer: { text: `Turn ${index}`, toolCalls: [{ name: `mcp__${server}__${kind}`, input: {} }] },
    })),
  ),
  { when: {}, answer: { text: 'Done.' } },
];

/** An MCP server over HTTP that says the headers that it was sent. */
const serveRemote = async () => {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const secrets = Object.values(request.headers).flatMap((value) =>
        typeof value === 'string' && value.includes(MARK) ? [value] : [],
      );
      const answer = body === '' ? undefined : leak(secrets, JSON.parse(body) as Parameters<typeof leak>[1]);
      if (answer === undefined) response.writeHead(request.method === 'GET' ? 405 : 202).end();
      else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}/mcp`, close: () => server.closeAllConnections() ?? server.close() };
};

const filesBelow = async (folder: string): Promise<readonly string[]> => {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
};

describe('[E15] [E16] secrets', () => {
  it('20 of them, planted wherever one can be, are in no sink after everything was used', async () => {
    const root = await realpath(await mkdtemp(path.join(tmpdir(), 'clout-canary-')));
    const remote = await serveRemote();
    const simulator = await startSimulator({
      port: 0,
      host: '127.0.0.1',
      scenario: { format: 1, name: 'canary', delays: { firstTokenMs: 0, perTokenMs: 0 }, rules: RULES },
    });
    const secretsFolder = await mkdtemp(path.join(tmpdir(), 'clout-secrets-'));
    for (const name of LOCAL.slice(0, 3)) await writeFile(path.join(secretsFolder, name), canary(`file-${name}`));
    for (const name of LOCAL.slice(3)) vi.stubEnv(`CANARY_${name.toUpperCase()}`, canary(`env-${name}`));
    for (const name of REMOTE) vi.stubEnv(`CANARY_H_${name.toUpperCase()}`, `Bearer ${canary(`header-${name}`)}`);
    vi.stubEnv('BRAVE_API_KEY', canary('search'));
    const said: string[] = [];
    let server: RunningServer | undefined;
    try {
      server = await startServer({
        root,
        port: 0,
        host: '127.0.0.1',
        environment: {
          PATH: process.env['PATH'] ?? '',
          XDG_CONFIG_HOME: path.join(root, 'config'),
          ANTHROPIC_API_KEY: canary('api-key'),
          ANTHROPIC_API_URL: simulator.url,
          ANTHROPIC_API_PROFILE: 'anthropic',
          AUTH_TOKENS: `${canary('user-token')},${canary('second-token')}`,
          COST_ALERT_WEBHOOK_URL: 'https://example.com/hook',
          COST_ALERT_WEBHOOK_SECRET: `whsec_${Buffer.from(canary('webhook-of-the-alerts')).toString('base64')}`,
          RATE_LIMIT: '0',
        },
        user: 'ann',
        // Before the log hides fields by their names: by then nothing is to be hidden.
        log: (severity, message, fields) => said.push(`log ${severity} ${message} ${inspect(fields, { depth: 12 })}`),
        simulatorCommand: [process.execPath, '-e', ''],
      });
      const { url, token } = server;
      const ask = async (method: string, where: string, body?: unknown, bearer = token): Promise<number> => {
        const answer = await fetch(`${url}${where}`, {
          method,
          headers: {
            authorization: `Bearer ${bearer}`,
            'content-type': 'application/json',
            cookie: `session=${canary('cookie')}`,
            'x-api-key': canary('x-api-key'),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        said.push(`${method} ${where.split('?')[0]} ${answer.status} ${await answer.text()}`);
        return answer.status;
      };
      const env = Object.fromEntries(
        LOCAL.map((name, index) => [
          `LEAK_TOKEN_${name}`,
          index < 3 ? `file:${path.join(secretsFolder, name)}` : `env:CANARY_${name.toUpperCase()}`,
        ]),
      );
      const headers = Object.fromEntries(
        REMOTE.map((name) => [name === 'a' ? 'authorization' : `x-key-${name}`, `env:CANARY_H_${name.toUpperCase()}`]),
      );
      const local = { id: 'local', transport: 'stdio', command: process.execPath, args: [LEAKING], env };
      const over = { id: 'remote', transport: 'http', url: remote.url, headers, allowNetworks: ['127.0.0.0/8'] };
      const broken = {
        ...local,
        id: 'broken',
        args: ['-e', 'console.error(process.env.LEAK_TOKEN_a); process.exit(3)'],
      };
      for (const config of [local, over, broken]) expect(await ask('POST', '/api/mcp/servers', { config })).toBe(201);
      for (const id of ['local', 'remote']) {
        const agent = { id, name: id, model: 'claude-sonnet-5-5', systemPrompt: id, maxIterations: 20 };
        expect(await ask('POST', '/api/agents', { ...agent, mcpServers: [{ id }] })).toBe(201);
        expect(await ask('POST', `/api/agents/${id}/execute`, { input: 'Go' })).toBe(200);
        expect(await ask('POST', `/api/agents/${id}/stream`, { input: 'Go' })).toBe(200);
        expect(await ask('POST', `/api/mcp/servers/${id}/test`)).toBe(200);
        await ask('GET', `/api/mcp/servers/${id}/tools`);
      }
      await ask('POST', '/api/mcp/servers/broken/test');
      // Strangers: a wrong token, one in the address, one in a body that is no JSON for us.
      expect(await ask('GET', '/api/runs', undefined, canary('wrong-token'))).toBe(401);
      await ask('GET', `/api/runs?token=${canary('query')}`, undefined, 'none');
      await ask('POST', `/api/agents`, { password: canary('body'), id: 7 });
      await ask('POST', '/api/mcp/servers', { config: { ...local, id: 'other', env: { A: 'env:NOT_THERE' } } });
      await ask('POST', '/api/mcp/servers/other/test');
      for (const where of [
        '/api/runs',
        '/api/agents',
        '/api/mcp/servers',
        '/metrics',
        '/health',
        '/api/projects/default/costs/summary',
        '/api/session',
      ])
        await ask('GET', where);
      const listed = said.find((line) => line.startsWith('GET /api/runs 200')) ?? '';
      const runs = new Set(listed.match(/run_[0-9a-f]{32}/gu) ?? []);
      expect(runs.size).toBe(4);
      for (const id of runs) {
        await ask('GET', `/api/runs/${id}`);
        await ask('GET', `/api/runs/${id}/events`);
      }
      // What was really used: the tools of both servers said their secrets, hidden.
      for (const kind of ['text', 'spill', 'error']) expect(said.join('\n')).toContain(`"name":"${kind}"`);
      expect(said.join('\n')).toContain('(hidden)');
      await server.close();
      server = undefined;
      for (const file of await filesBelow(root)) said.push(`file ${file} ${await readFile(file, 'latin1')}`);
      expect(said.some((line) => line.startsWith('file') && line.includes('/output/'))).toBe(true);
      expect(said.some((line) => line.startsWith('file') && line.includes('audit.jsonl'))).toBe(true);
      // At rest is where each secret is found, for its owner's eyes alone.
      const kept = path.join(root, '.cloutagent');
      const entries = await readFile(path.join(kept, 'mcp.json'), 'utf8');
      for (const name of LOCAL.slice(3)) expect(entries).toContain(`env:CANARY_${name.toUpperCase()}`);
      expect((await stat(path.join(kept, 'mcp.json'))).mode & 0o077).toBe(0);
      expect((await stat(kept)).mode & 0o077).toBe(0);
      const leaks = said
        .filter((line) => line.includes(MARK))
        .map((line) => {
          const at = line.indexOf(MARK);
          return `${line.slice(0, 90)} … ${line.slice(Math.max(0, at - 60), at + 40)}`;
        });
      expect(leaks).toEqual([]);
    } finally {
      await server?.close();
      await simulator.close();
      remote.close();
      await rm(root, { recursive: true, force: true });
      await rm(secretsFolder, { recursive: true, force: true });
    }
  }, 60_000);
});
