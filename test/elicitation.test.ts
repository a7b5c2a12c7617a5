import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient, type Client } from '@cloutagent/client';
import type { Approval, Run, StreamChunk } from '@cloutagent/contract';
import { createLog, startServer, type RunningServer } from '@cloutagent/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cloutJson } from './support/program.ts';
import { openTempProject, type TempProject } from './support/project.ts';

const CLOUT = fileURLToPath(new URL('../apps/cli/bin/clout.mjs', import.meta.url));
const ASKING = fileURLToPath(new URL('support/asking-server.mjs', import.meta.url));
const ERAS = ['legacy', 'modern'] as const;

let project: TempProject;
let server: RunningServer;
let client: Client;

const start = async (): Promise<void> => {
  const { root, env } = project;
  server = await startServer({
    root,
    port: 0,
    host: '127.0.0.1',
    environment: { ...env, RATE_LIMIT: '0' },
    user: 'ann',
    log: createLog('silent'),
    simulatorCommand: [process.execPath, CLOUT, 'simulate', '--scenario', path.join(root, 'scenario.json')],
  });
  client = createClient({ baseUrl: server.url, token: server.token });
};

const SCENARIO = {
  format: 1,
  name: 'deployer',
  rules: [
    { when: { turn: 1 }, answer: { toolCalls: [{ name: 'mcp__asking__deploy', input: {} }] } },
    { answer: { text: 'Deployed.' } },
  ],
};

beforeEach(async () => {
  project = openTempProject();
  const data = path.join(project.root, '.cloutagent');
  await mkdir(data, { mode: 0o700 });
  await writeFile(path.join(data, 'config.yaml'), 'run: { mcpServers: [asking] }\n');
  await writeFile(path.join(project.root, 'scenario.json'), JSON.stringify(SCENARIO));
});
afterEach(async () => {
  await server.close();
  project[Symbol.dispose]();
});

const file = (): string => path.join(project.root, 'calls.txt');
const addServer = async (era: string, timeouts: object = {}): Promise<void> => {
  const config = { id: 'asking', transport: 'stdio', command: process.execPath, args: [ASKING, era, file()], timeouts };
  await client.call('mcpServerAdd', { body: { config } as never });
};
const runTool = (tool: string): Promise<Run> => {
  const nodes = [{ id: 'a', type: 'tool', data: { server: 'asking', tool, arguments: {} } }];
  return client.call('workflowRun', { body: { workflow: { nodes, edges: [] }, simulate: true } });
};
const show = (id: string) => client.call('runShow', { params: { id } });
const until = async (id: string, status: Run['status']): Promise<void> => {
  await expect.poll(async () => (await show(id)).run.status, { timeout: 15_000 }).toBe(status);
};
const asked = async (run: string): Promise<Approval> => {
  const pending = async () => (await client.call('approvalsList', { query: { run } })).items;
  await expect.poll(async () => (await pending()).length, { timeout: 15_000 }).toBe(1);
  const [approval] = await pending();
  if (approval === undefined) throw new Error('nothing is asked');
  return approval;
};
const said = async (run: string, tool = 'asking:deploy'): Promise<unknown> => {
  const row = (await show(run)).steps.find(({ kind, name }) => kind === 'tool' && name === tool);
  const output = row?.output as { content: { text: string }[] } | undefined;
  return JSON.parse(output?.content[0]?.text ?? 'null');
};
const decide = ({ id, digest }: Approval, decision: 'approve' | 'deny', edited?: unknown) =>
  client.call('approvalDecide', {
    params: { id },
    body: { decision, digest, ...(edited === undefined ? {} : { edited }) },
  });

it('[E6.elicitation] a question is put to the run whose call it is about, though others use the server at once', async () => {
  await start();
  await addServer('modern');
  const runs = await Promise.all(
    ['main', 'next'].map(async (branch) => ({ branch, id: (await runTool('deploy')).id })),
  );
  for (const { id, branch } of runs.toReversed()) await decide(await asked(id), 'approve', { branch });
  for (const { id, branch } of runs) {
    await until(id, 'completed');
    expect(await said(id)).toMatchObject({ content: { branch } });
  }
});

it('[E6.elicitation] a run of a change works with the servers of its project, and waits for a person like any other', async () => {
  await start();
  await addServer('legacy');
  await client.call('changeOpen', { body: { title: 'Deploy', slug: 'deploy', template: 'feature' } });
  await writeFile(path.join(project.root, 'openspec/changes/deploy/tasks.md'), '- [ ] 1.1 Deploy it\n');
  const { id } = await client.call('runStart', { body: { slug: 'deploy', simulate: true } });
  await decide(await asked(id), 'approve', { branch: 'main' });
  await until(id, 'completed');
  expect(await said(id)).toMatchObject({ action: 'accept', content: { branch: 'main' } });
  expect(await readFile(path.join(project.root, 'openspec/changes/deploy/tasks.md'), 'utf8')).toContain('[x] 1.1');
});

describe.each(ERAS)('a server of the %s era that asks in the middle of a call', (era) => {
  beforeEach(async () => {
    await start();
    await addServer(era, { callMs: 1_000 });
  });

  it('[E6.elicitation] makes the run wait for a person, whose answer goes back to it, however long that takes', async () => {
    const { id } = await runTool('deploy');
    const approval = await asked(id);
    expect(approval).toMatchObject({
      kind: 'elicitation',
      title: 'asking asks: Which branch?',
      request: { server: 'asking', tool: 'deploy', mode: 'form', message: 'Which branch?' },
    });
    expect(JSON.parse((approval.request as { text: string }).text)).toEqual({ branch: null, force: false });
    // Longer than the call may take.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await expect(decide(approval, 'approve')).rejects.toThrow('branch is missing');
    await expect(decide(approval, 'approve', '{"branch":7}')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(decide(approval, 'approve', 'main')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await cloutJson(['runs', 'approve', approval.id, '--edit', '{"branch":"main"}'], project);
    await until(id, 'completed');
    expect(await said(id)).toEqual({
      action: 'accept',
      content: { branch: 'main', force: false },
    });
    expect((await client.call('approvalsList', { query: { run: id, status: 'all' } })).items).toMatchObject([
      { status: 'approved', decidedBy: expect.any(String) as string },
    ]);
  });

  it('[E6.elicitation] a denial is told as decline, a link is accepted, and a model is refused in words', async () => {
    const deploy = await runTool('deploy');
    await decide(await asked(deploy.id), 'deny');
    await until(deploy.id, 'completed');
    expect(await said(deploy.id)).toEqual({ action: 'decline' });

    const link = await runTool('sign-in');
    const approval = await asked(link.id);
    expect(approval.request).toMatchObject({ mode: 'url', url: 'https://example.test/sign-in?for=deploy' });
    await expect(decide(approval, 'approve', 'x')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await decide(approval, 'approve');
    await until(link.id, 'completed');
    expect(await said(link.id, 'asking:sign-in')).toEqual({ action: 'accept' });

    const think = await runTool('think');
    await until(think.id, 'failed');
    expect(JSON.stringify((await show(think.id)).run.reason)).toMatch(/sampling/iu);
  });

  it('[E6.elicitation] a run that is cancelled takes its question along', async () => {
    const { id } = await runTool('deploy');
    const { id: approval } = await asked(id);
    await client.call('runCancel', { params: { id } });
    await until(id, 'cancelled');
    const { items } = await client.call('approvalsList', { query: { run: id, status: 'all' } });
    expect(items).toMatchObject([{ id: approval, status: 'cancelled' }]);
    await expect(decide(items[0] as Approval, 'approve')).rejects.toMatchObject({ code: 'APPROVAL_DECIDED' });
  });

  it('[E6.elicitation] what was asked before a stop is not asked again after it', async () => {
    const { id } = await runTool('check');
    const before = await asked(id);
    await server.close();
    await start();
    await until(id, 'interrupted');
    // Whoever decides about a run that nobody drives makes it go on.
    await decide(before, 'approve', { branch: 'main' });
    await until(id, 'completed');
    expect(await said(id, 'asking:check')).toMatchObject({ action: 'accept', content: { branch: 'main' } });
    expect((await client.call('approvalsList', { query: { run: id, status: 'all' } })).total).toBe(1);
    expect((await readFile(file(), 'utf8')).split('\n').filter((line) => line === 'check').length).toBeGreaterThan(1);
  });

  it('[E6.elicitation] an agent waits too, and says so to who follows it', async () => {
    await client.call('agentCreate', {
      body: {
        id: 'deployer',
        name: 'Deployer',
        model: 'claude-sonnet-5-5',
        systemPrompt: 'You deploy.',
        temperature: 0,
        maxTokens: 1024,
        enabledTools: ['asking:deploy'],
        mcpServers: ['asking'],
        simulate: true,
      },
    });
    const chunks: StreamChunk[] = [];
    for await (const chunk of client.streamAgent('deployer', { input: 'Deploy it' })) {
      chunks.push(chunk);
      if (chunk.type !== 'waiting' || chunk.reason !== 'person') continue;
      const { items } = await client.call('approvalsList', { query: {} });
      expect(items).toMatchObject([{ id: chunk.approval, title: chunk.title }]);
      await decide(items[0] as Approval, 'approve', { branch: 'main' });
    }
    expect(chunks.map(({ type }) => type)).toContain('waiting');
    expect(chunks.find(({ type }) => type === 'tool_result')).toMatchObject({
      toolResult: { success: true, output: expect.stringContaining('"branch":"main"') as string },
    });
    expect(chunks.at(-1)).toMatchObject({ type: 'done', result: { status: 'completed' } });
  });
});
