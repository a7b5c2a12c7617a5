import { startSimulator } from '@cloutagent/simulator';
import { expect, it } from 'vitest';
import { openTempProject } from './support/project.ts';
import { startProgram, type Running } from './support/program.ts';
import { createClient, type Client } from '@cloutagent/client';
import { until } from './support/processes.ts';

/** More than anybody sleeps for inside a call. */
const RETRY_AFTER_S = 32;

it('[D7] [E3.retry] a model that asks for more than half a minute gets it, over a kill -9 of the server', async () => {
  using project = openTempProject();
  const error = { status: 429, message: 'Slowly', retryAfter: RETRY_AFTER_S };
  const simulator = await startSimulator({
    port: 0,
    host: '127.0.0.1',
    scenario: {
      format: 1,
      name: 'slowly',
      delays: { firstTokenMs: 0, perTokenMs: 0 },
      rules: [
        { when: { times: 2 }, answer: { error } },
        { when: {}, answer: { use: 'assistant' } },
      ],
    },
  });
  const env = { ANTHROPIC_API_URL: simulator.url, ANTHROPIC_API_KEY: 'sk-ant-none', LOG_LEVEL: 'error' };
  const up = async (): Promise<{ readonly running: Running; readonly client: Client }> => {
    const running = startProgram('clout', ['up', '--port', '0', '--json'], project, { env });
    const line = await running.line((text) => text.includes('"url"'));
    const { url } = JSON.parse(line ?? '{}') as { readonly url: string };
    return { running, client: createClient({ baseUrl: url, token: project.read('.cloutagent/token').trim() }) };
  };
  const first = await up();
  let { running } = first;
  try {
    const begun = Date.now();
    const nodes = [{ id: 'a', type: 'agent' as const, data: { systemPrompt: 'x' } }];
    const workflow = { format: 1 as const, nodes, edges: [], variables: {} };
    const runs = [
      await first.client.call('workflowRun', { body: { workflow, input: 'Hi', budget: '1' } }),
      await first.client.call('runStart', { body: { slug: 'add-greeting-page', budget: '1' } }),
    ];
    const shown = (client: Client) => Promise.all(runs.map(({ id }) => client.call('runShow', { params: { id } })));
    await until(async () => (await shown(first.client)).every(({ run }) => run.status === 'waiting'));
    for (const { waits, run } of await shown(first.client)) {
      expect((waits[0]?.until ?? 0) - begun).toBeGreaterThanOrEqual(RETRY_AFTER_S * 1000);
      expect(run.money.held.nanoUsd).toBe(0);
    }
    running.kill('SIGKILL');
    await running.ended;
    const second = await up();
    ({ running } = second);
    await until(async () => (await shown(second.client)).every(({ run }) => run.status === 'completed'));
    for (const { run, ledger } of await shown(second.client)) {
      expect((Date.parse(run.finishedAt ?? '') - begun) / 1000).toBeGreaterThanOrEqual(RETRY_AFTER_S);
      expect(ledger.map(({ outcome }) => outcome).filter((outcome) => outcome !== 'known')).toEqual(['released']);
    }
  } finally {
    running.kill('SIGTERM');
    await running.ended;
    await simulator.close();
  }
}, 120_000);
