import type { RunEvent } from '@cloutagent/contract';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { SLUG, TASKS, writePriceList } from './change.ts';
import { audit } from './ledger.ts';
import { killTree } from './processes.ts';
import { cloutJson, startProgram } from './program.ts';
import { openTempProject, type TempProject } from './project.ts';
import { seeded } from './random.ts';

/** Where a process is killed: at the first event of this kind after it took the run over, and so many milliseconds later. */
interface Blow {
  readonly at: RunEvent['body']['type'];
  readonly after: number;
}

/** Every phase of a run: a model call, a tool call, a settlement, a check, a tick. */
const PHASES: readonly Blow['at'][] = [
  'model.started',
  'tool.started',
  'model.finished',
  'check.finished',
  'tool.finished',
];

const blows = (count: number, seed: number): readonly Blow[] => {
  const random = seeded(seed);
  return Array.from({ length: count }, (_, index) => ({
    at: PHASES[index % PHASES.length] ?? 'model.started',
    after: Math.floor(random() * 15),
  }));
};

/** Finds the first event of a kind that no earlier process of the test has shown. */
const createFinder = (): ((type: string) => (line: string) => boolean) => {
  let seen = 0;
  return (type) => {
    const from = seen;
    return (line) => {
      const parsed = JSON.parse(line) as { type?: string; event?: RunEvent };
      if (parsed.type !== 'event' || parsed.event === undefined) return false;
      seen = Math.max(seen, parsed.event.seq);
      return parsed.event.seq > from && parsed.event.body.type === type;
    };
  };
};

/** Calls with an unknown outcome are booked at their bound: ten of them in one task must fit what the task may cost. */
const BUDGET = 5;
const RUN = ['run', SLUG, '--simulate', '--budget', BUDGET.toFixed(2), '--json'];
const RESUME = ['runs', 'resume', 'last', '--json'];

/** Drives the run to its end; where a call's effect is unknown a person would look, and these files can be written twice. */
const finish = async (project: TempProject): Promise<void> => {
  for (let tries = 0; tries < 5; tries += 1) {
    const { code, stdout, stderr } = await startProgram('clout', [...RESUME, '--unknown', 'repeat'], project).ended;
    if (code === 0) return;
    if (code !== 6) throw new Error(`clout runs resume ended with ${code}: ${stderr}${stdout.slice(-2000)}`);
  }
  throw new Error('The run does not complete');
};

export const expectWhole = async (project: TempProject, kills: number): Promise<void> => {
  const { detail, repeated, surplus, wrongRows } = await audit(project);
  expect(detail.run.status).toBe('completed');
  expect(project.read(`openspec/changes/${SLUG}/tasks.md`).match(/- \[x\]/gu)).toHaveLength(TASKS);
  expect({ repeated, wrongRows }).toEqual({ repeated: [], wrongRows: [] });
  expect(surplus).toBeLessThanOrEqual(kills);
  expect(detail.run.money.spent.nanoUsd).toBeLessThanOrEqual(BUDGET * 1_000_000_000);
  // Rows are insert-only and keyed by place, so a step that ran twice would stand twice.
  expect(new Set(detail.steps.map(({ key }) => key)).size).toBe(detail.steps.length);
};

export const openPriceListProject = async (): Promise<TempProject> => {
  const project = openTempProject();
  await cloutJson(['change', 'open', SLUG, '--title', 'Add a price list'], project);
  writePriceList(project);
  return project;
};

/** Kills the process that owns a run, again and again, and lets it complete at last; returns the number of kills. */
export const runUnderFire = async (project: TempProject, count: number, seed: number): Promise<number> => {
  const isNew = createFinder();
  let kills = 0;
  for (const { at, after } of blows(count, seed)) {
    const running = startProgram('clout', kills === 0 ? RUN : [...RESUME, '--unknown', 'repeat'], project);
    const reached = await running.line(isNew(at));
    if (reached === undefined) break;
    await sleep(after);
    await killTree(running);
    kills += 1;
  }
  await finish(project);
  return kills;
};

/** The same for `clout run` beside `clout up`: both die at once. */
export const runBesideServerUnderFire = async (project: TempProject, count: number, seed: number): Promise<number> => {
  const isNew = createFinder();
  let kills = 0;
  for (const { at, after } of blows(count, seed)) {
    const server = startProgram('clout', ['up', '--port', '0', '--json'], project);
    await server.line((line) => line.includes('"url"'));
    const running = startProgram('clout', kills === 0 ? RUN : ['runs', 'watch', 'last', '--json'], project);
    const reached = await running.line(isNew(at));
    await sleep(after);
    await Promise.all([killTree(server), killTree(running)]);
    if (reached === undefined) break;
    kills += 1;
  }
  await finish(project);
  return kills;
};
