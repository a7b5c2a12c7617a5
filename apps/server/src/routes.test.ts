import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROUTES, type RouteSpec } from '@cloutagent/contract';
import { systemClock } from '@cloutagent/kit';
import { openProject } from '@cloutagent/openspec';
import { createTaskMcp } from '@cloutagent/task-mcp';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { createLog, startServer, type RunningServer } from './index.ts';

interface Listed {
  readonly method: string;
  readonly path: string;
  readonly scope: string;
}

/** Every route of the product: those of the contract, of Task MCP, and the proof of who owns a data folder. */
const allRoutes = async (root: string): Promise<readonly Listed[]> => {
  const project = await openProject(root, { clock: systemClock, caller: 'ann' });
  const taskMcp = createTaskMcp({ project, clock: systemClock, log: createLog('silent'), version: '0' });
  const contract: readonly RouteSpec[] = Object.values(ROUTES);
  return [...contract, ...taskMcp.routes, { method: 'GET', path: '/api/proof', scope: 'open' }];
};

const withServer = async (work: (server: RunningServer, routes: readonly Listed[]) => Promise<void>): Promise<void> => {
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
    await work(server, await allRoutes(root));
  } finally {
    await server.close();
    await rm(root, { recursive: true, force: true });
  }
};

const asking =
  ({ url }: RunningServer) =>
  async ({ method, path: where }: Listed, token?: string): Promise<number> => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const answer = await fetch(url + where.replaceAll(/:\w+/gu, 'x'), { method, headers });
    await answer.body?.cancel();
    return answer.status;
  };

it('[H3] [H2] every route of the product refuses who has no token or a wrong one, before any work', async () => {
  await withServer(async (server, routes) => {
    const status = asking(server);
    const guarded = routes.filter(({ scope }) => scope !== 'open');
    expect(guarded.length).toBeGreaterThanOrEqual(25);
    for (const route of guarded) expect([route.method, route.path, await status(route)]).toEqual([...idOf(route), 401]);
    const open = routes.filter(({ scope }) => scope === 'open').map(({ path: where }) => where);
    expect([...new Set(open)].toSorted()).toEqual(['/', '/api/proof', '/api/session', '/healthz', '/readyz']);
    for (const route of routes) expect([401, 429]).toContain(await status(route, 'wrong'));
  });
});

it('[H3] [T5.scopes] every route lets a user do what is no administration, and an administrator everything', async () => {
  await withServer(async (server, routes) => {
    const status = asking(server);
    for (const route of routes) {
      const refused = [401, 403].includes(await status(route, 'user-token'));
      expect([...idOf(route), refused]).toEqual([...idOf(route), route.scope === 'admin']);
      const own = await status(route, server.token);
      expect([...idOf(route), [401, 403].includes(own)]).toEqual([...idOf(route), false]);
    }
  });
});

const idOf = ({ method, path: where }: Listed): readonly string[] => [method, where];

/** Names of members, at any depth. */
const membersOf = (schema: unknown): readonly string[] => {
  if (schema === null || typeof schema !== 'object') return [];
  const own = 'properties' in schema ? Object.keys(schema.properties as object) : [];
  return [...own, ...Object.values(schema).flatMap(membersOf)];
};

it('[T5.admin] whatever takes a command, its environment or a secret is for administrators', () => {
  const powers = /^(?:command|args|env|environment|secret|secrets|token|tokens|apiKey|password)$/u;
  const powerful = Object.entries<RouteSpec>(ROUTES).filter(
    ([, { body }]) =>
      body !== undefined &&
      membersOf(z.toJSONSchema(body, { io: 'input', unrepresentable: 'any' })).some((name) => powers.test(name)),
  );
  // A login gives nothing away: its token is the caller's own.
  expect(powerful.filter(([name, { scope }]) => scope !== 'admin' && name !== 'login').map(([name]) => name)).toEqual(
    [],
  );
});
