import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROUTES } from '@cloutagent/contract';
import { expect, it } from 'vitest';
import { createLog, startServer } from './index.ts';

/** Those of Task MCP, which the contract does not name. */
const TASK_MCP = [
  ['POST', '/sse'],
  ['GET', '/sse'],
  ['DELETE', '/sse'],
  ['POST', '/mcp'],
  ['GET', '/mcp'],
  ['DELETE', '/mcp'],
  ['POST', '/messages'],
  ['GET', '/health'],
  ['GET', '/security/metrics'],
  ['GET', '/metrics'],
] as const;

it('[H3] [H2] every route of the product refuses who has no token or a wrong one, before any work', async () => {
  const root = await realpath(await mkdtemp(path.join(tmpdir(), 'clout-routes-')));
  const server = await startServer({
    root,
    port: 0,
    host: '127.0.0.1',
    environment: { AUTH_TOKENS: 'user-token', RATE_LIMIT: '0', XDG_CONFIG_HOME: root },
    user: 'ann',
    log: createLog('silent'),
    simulatorCommand: [process.execPath, '-e', ''],
  });
  try {
    const routes = [...TASK_MCP, ...Object.values(ROUTES).map(({ method, path: where }) => [method, where] as const)];
    const status = async (method: string, where: string, token?: string): Promise<number> => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const answer = await fetch(server.url + where.replaceAll(/:\w+/gu, 'x'), { method, headers });
      await answer.body?.cancel();
      return answer.status;
    };
    for (const [method, where] of routes)
      expect([method, where, await status(method, where)]).toEqual([method, where, 401]);
    for (const where of ['/healthz', '/readyz', '/']) expect(await status('GET', where)).toBe(200);
    const adminOnly = Object.values(ROUTES).filter(({ scope }) => (scope as string) === 'admin');
    for (const { method, path: where } of adminOnly) expect(await status(method, where, 'user-token')).toBe(403);
    for (const [method, where] of routes) expect([401, 429]).toContain(await status(method, where, 'wrong'));
  } finally {
    await server.close();
    await rm(root, { recursive: true, force: true });
  }
});
