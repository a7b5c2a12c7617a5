import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { openTempProject } from './project.ts';
import {
  cpuShare,
  percentile,
  rssOf,
  startSlowSimulator,
  startWorkflowServer,
  type WorkflowServer,
} from './workflow-server.ts';

const ASKING = {
  name: 'asking',
  nodes: [
    { id: 'q', type: 'approval', data: {} } as const,
    { id: 'b', type: 'template', data: { template: 'x' } } as const,
  ],
  edges: [{ source: 'q', target: 'b' }],
};

export interface WaitingFigures {
  readonly rssMb: number;
  readonly cpuPercent: number;
  /** From the decision to the run that is driven again, both as the server wrote them. */
  readonly wakeP99Ms: number;
}

/** Runs that wait for approval in a server: what they cost, and how soon they go on. */
export const measureWaiting = async (runs: number, decisions: number): Promise<WaitingFigures> => {
  using project = openTempProject();
  await using server = await startWorkflowServer(project, { ANTHROPIC_API_URL: 'http://127.0.0.1:9' });
  const { client } = server;
  for (let at = 0; at < runs; at += 50) {
    await Promise.all(Array.from({ length: Math.min(50, runs - at) }, () => server.run(ASKING, 'x')));
  }
  const waiting = async (): Promise<number> => (await client.call('approvalsList', { query: { limit: 1 } })).total;
  while ((await waiting()) < runs) await sleep(200);
  await sleep(2_000);
  const cpuPercent = await cpuShare(server.pid, 6_000);
  const rssMb = rssOf(server.pid);
  const page = await client.call('approvalsList', { query: { limit: Math.min(200, decisions) } });
  const wakes: number[] = [];
  for (const approval of page.items) {
    await client.call('approvalDecide', {
      params: { id: approval.id },
      body: { decision: 'approve', digest: approval.digest },
    });
    wakes.push(await wakeOf(server, approval.runId));
  }
  return { rssMb, cpuPercent, wakeP99Ms: percentile(wakes, 99) };
};

const wakeOf = async ({ client }: WorkflowServer, runId: string): Promise<number> => {
  let decided = 0;
  for await (const frame of client.events(runId, { after: 0, untilSettled: true })) {
    if (frame.event !== 'run') continue;
    const { at, body } = frame.data;
    if (body.type === 'approval.decided') decided = at;
    if (decided > 0 && body.type === 'run.state' && body.status === 'running') return at - decided;
  }
  throw new Error('the run was not driven again');
};

export interface LoadFigures {
  readonly firstTokenMaxMs: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly errorPercent: number;
  /** Growth of memory over the second half, for 1,000 runs. */
  readonly slopeMb: number;
}

const AGENT = {
  name: 'load',
  nodes: [{ id: 'a', type: 'agent', data: { systemPrompt: 'Answer.' } } as const],
  edges: [],
};

/** Concurrent executions and open streams with the delays of a real model: 0.8 s to the first token, 40 tokens a second. */
export const measureLoad = async (options: {
  readonly concurrent: number;
  readonly streams: number;
  readonly rounds: number;
}): Promise<Omit<LoadFigures, 'slopeMb'>> => {
  using project = openTempProject();
  await using simulator = await startSlowSimulator(project, { firstTokenMs: 800, perTokenMs: 25 });
  await using server = await startWorkflowServer(project, {
    ANTHROPIC_API_URL: simulator.url,
    MAX_CONCURRENT_EXECUTIONS: String(options.concurrent),
  });
  const first: number[] = [];
  const whole: number[] = [];
  let errors = 0;
  const execute = async (streamed: boolean): Promise<void> => {
    const from = performance.now();
    try {
      const { id } = await server.run(AGENT, 'Say something.');
      let token: number | undefined;
      for await (const frame of server.client.events(id, { after: 0, untilSettled: true })) {
        if (frame.event === 'text') token ??= performance.now() - from;
      }
      const { run } = await server.client.call('runShow', { params: { id } });
      if (run.status !== 'completed') throw new Error(run.status);
      if (streamed && token !== undefined) first.push(token);
      whole.push(performance.now() - from);
    } catch {
      errors += 1;
    }
  };
  for (let round = 0; round < options.rounds; round += 1) {
    await Promise.all(Array.from({ length: options.concurrent }, (_, n) => execute(n < options.streams)));
  }
  return {
    firstTokenMaxMs: Math.max(...first),
    p95Ms: percentile(whole, 95),
    p99Ms: percentile(whole, 99),
    maxMs: Math.max(...whole),
    errorPercent: (errors / (options.concurrent * options.rounds)) * 100,
  };
};

/** One execution after another, as fast as they go: what is left behind of each. */
export const measureSlope = async (runs: number): Promise<{ readonly slopeMb: number; readonly errors: number }> => {
  using project = openTempProject();
  await using simulator = await startSlowSimulator(project, { firstTokenMs: 0, perTokenMs: 0 });
  await using server = await startWorkflowServer(project, { ANTHROPIC_API_URL: simulator.url });
  let errors = 0;
  const samples: (readonly [run: number, mb: number])[] = [];
  for (let n = 0; n < runs; n += 1) {
    const { id } = await server.run(AGENT, 'x');
    for await (const frame of server.client.events(id, { after: 0, untilSettled: true })) void frame;
    if ((await server.client.call('runShow', { params: { id } })).run.status !== 'completed') errors += 1;
    // The first half warms up caches and the compiler.
    if (n >= runs / 2 && n % 10 === 0) samples.push([n, rssOf(server.pid)]);
  }
  return { slopeMb: slopeOf(samples) * 1_000, errors };
};

/** Least squares. */
const slopeOf = (samples: readonly (readonly [number, number])[]): number => {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(samples.map(([run]) => run));
  const y = mean(samples.map(([, mb]) => mb));
  const up = samples.reduce((sum, [run, mb]) => sum + (run - x) * (mb - y), 0);
  const down = samples.reduce((sum, [run]) => sum + (run - x) ** 2, 0);
  return up / down;
};

/** Milliseconds from the request to cancel a run until its call at the model is cut off, for so many runs; and what stays held of their money. */
export const measureCancel = async (
  runs: number,
): Promise<{ readonly maxMs: number; readonly heldNanoUsd: number; readonly unsettled: number }> => {
  using project = openTempProject();
  const cut: number[] = [];
  const asked: number[] = [];
  const model = createServer((request, response) => {
    request.resume();
    asked.push(performance.now());
    // It begins to answer and goes on thinking, as a model does.
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': \n\n');
    response.on('close', () => cut.push(performance.now()));
  });
  await new Promise<void>((resolve) => model.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = model.address() as AddressInfo; // it listens on TCP
    await using server = await startWorkflowServer(project, {
      ANTHROPIC_API_URL: `http://127.0.0.1:${port}`,
      ANTHROPIC_API_KEY: 'sk-ant-none',
    });
    const { client } = server;
    let maxMs = 0;
    let heldNanoUsd = 0;
    let unsettled = 0;
    for (let nth = 1; nth <= runs; nth += 1) {
      const { id } = await server.run({ nodes: [{ id: 'a', type: 'agent', data: { systemPrompt: 'x' } }] }, 'x');
      while (asked.length < nth) await sleep(5);
      const from = performance.now();
      await client.call('runCancel', { params: { id } });
      while (cut.length < nth) await sleep(5);
      maxMs = Math.max(maxMs, (cut.at(-1) ?? Number.POSITIVE_INFINITY) - from);
      while ((await client.call('runShow', { params: { id } })).run.status !== 'cancelled') await sleep(20);
      const { run, ledger } = await client.call('runShow', { params: { id } });
      heldNanoUsd += run.money.held.nanoUsd;
      if (ledger.length !== 1 || ledger[0]?.outcome !== 'unknown') unsettled += 1;
    }
    return { maxMs, heldNanoUsd, unsettled };
  } finally {
    model.closeAllConnections();
    model.close();
  }
};
