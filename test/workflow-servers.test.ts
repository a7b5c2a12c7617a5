import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient, type Client } from '@cloutagent/client';
import { createLog, startServer } from '@cloutagent/server';
import { expect, it } from 'vitest';
import { openTempProject, type TempProject } from './support/project.ts';

const CLOUT = fileURLToPath(new URL('../apps/cli/bin/clout.mjs', import.meta.url));
const EFFECTS = fileURLToPath(new URL('support/chaos/effects-server.mjs', import.meta.url));

const look = { id: 'look', type: 'tool', data: { server: 'effects', tool: 'look', arguments: {} } } as const;

const withClient = async (use: (client: Client, project: TempProject) => Promise<void>): Promise<void> => {
  using project = openTempProject();
  const server = await startServer({
    root: project.root,
    port: 0,
    host: '127.0.0.1',
    environment: { ...project.env, RATE_LIMIT: '0' },
    user: 'ann',
    log: createLog('silent'),
    simulatorCommand: [process.execPath, CLOUT, 'simulate'],
  });
  try {
    await use(createClient({ baseUrl: server.url, token: server.token }), project);
  } finally {
    await server.close();
  }
};

const register = async (client: Client, project: TempProject): Promise<void> => {
  const folder = path.join(project.root, 'effects');
  mkdirSync(folder);
  const config = { id: 'effects', transport: 'stdio', command: process.execPath, args: [EFFECTS, folder] };
  await client.call('mcpServerAdd', { body: { config } as never });
};

const settled = async (client: Client, id: string) => {
  for await (const frame of client.events(id, { after: 0, untilSettled: true })) void frame;
  return client.call('runShow', { params: { id } });
};

it('a node has the tools of the registered servers that it names, whatever else is configured', () =>
  withClient(async (client, project) => {
    await register(client, project);
    const agent = { id: 'a', type: 'agent', data: { systemPrompt: 'You look.', mcpServers: ['effects'] } } as const;
    const workflow = { nodes: [look, agent], edges: [{ source: 'look', target: 'a' }] };
    const { id } = await client.call('workflowRun', { body: { workflow, simulate: true } });
    const { run, steps } = await settled(client, id);
    expect(run.reason).toBeNull();
    expect(run.status).toBe('completed');
    expect(steps.find(({ key }) => key === 'look')).toMatchObject({ output: { output: 'look is done' } });
  }));

it.each([look, { id: 'a', type: 'agent', data: { systemPrompt: 'You look.', mcpServers: ['effects'] } } as const])(
  'a run whose $type names a server that is not there pauses, and goes on once somebody has registered it',
  (node) =>
    withClient(async (client, project) => {
      const workflow = { nodes: [node], edges: [] } as never;
      const { id } = await client.call('workflowRun', { body: { workflow, input: 'x', simulate: true } });
      const { run } = await settled(client, id);
      expect(run).toMatchObject({ status: 'paused', reason: { code: 'MCP_SERVER_NOT_FOUND' } });
      await register(client, project);
      await client.call('runResume', { params: { id }, body: {} });
      expect((await settled(client, id)).run.status).toBe('completed');
    }),
);
