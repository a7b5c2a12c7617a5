import { createClient, type Client } from '@cloutagent/client';
import type { Run, WorkflowDocument } from '@cloutagent/contract';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { killTree } from './processes.ts';
import { startProgram, type Running } from './program.ts';
import type { TempProject } from './project.ts';

export interface WorkflowServer extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  readonly token: string;
  readonly client: Client;
  run(workflow: Partial<WorkflowDocument>, input: string): Promise<Run>;
  signal(signal: NodeJS.Signals): void;
  /** As `kill -9` does it; resolves once all that it started is gone too. */
  kill(): Promise<void>;
}

/** `clout up` as users run it, with a simulator of its own where one is given; on any free port where none is named. */
export const startWorkflowServer = async (
  project: TempProject,
  env: Readonly<Record<string, string>>,
  port = 0,
): Promise<WorkflowServer> => {
  const running: Running = startProgram('clout', ['up', '--port', String(port), '--json'], project, {
    env: { RATE_LIMIT: '0', REQUEST_TIMEOUT_MS: '0', LOG_LEVEL: 'error', ...env },
  });
  const line = await running.line((text) => text.includes('"url"'));
  if (line === undefined) throw new Error(`clout up ended: ${(await running.ended).stderr}`);
  const { url } = JSON.parse(line) as { url: string };
  const token = readFileSync(`${project.root}/.cloutagent/token`, 'utf8').trim();
  const client = createClient({ baseUrl: url, token });
  return {
    url,
    pid: running.pid,
    token,
    client,
    run: (workflow, input) =>
      client.call('workflowRun', { body: { workflow: workflow as WorkflowDocument, input, budget: '1' } }),
    signal: (signal) => running.kill(signal),
    kill: () => killTree(running),
    [Symbol.asyncDispose]: async () => {
      running.kill('SIGTERM');
      await running.ended;
    },
  };
};

/** `clout simulate` with the delays of a real model. */
export const startSlowSimulator = async (
  project: TempProject,
  delays: { readonly firstTokenMs: number; readonly perTokenMs: number },
): Promise<AsyncDisposable & { readonly url: string }> => {
  const args = ['--first-token-ms', String(delays.firstTokenMs), '--per-token-ms', String(delays.perTokenMs)];
  const running = startProgram('clout', ['simulate', ...args], project);
  const line = await running.line((text) => text.includes('"url"'));
  if (line === undefined) throw new Error(`clout simulate ended: ${(await running.ended).stderr}`);
  return {
    url: (JSON.parse(line) as { url: string }).url,
    [Symbol.asyncDispose]: async () => {
      running.kill('SIGTERM');
      await running.ended;
    },
  };
};

/** Memory of a process in MB. */
export const rssOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

/** CPU time that a process has used, in milliseconds. */
const cpuOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /su, '')
    .split(' ');
  // Fields 14 and 15 of proc(5), in ticks of 10 ms.
  return (Number(fields[11]) + Number(fields[12])) * 10;
};

/** Share of one core that a process uses while it is looked at, in percent. */
export const cpuShare = async (pid: number, ms: number): Promise<number> => {
  const before = cpuOf(pid);
  await sleep(ms);
  return ((cpuOf(pid) - before) / ms) * 100;
};

/** The value below which so many percent lie. */
export const percentile = (values: readonly number[], percent: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
};
