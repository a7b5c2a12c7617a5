import type { RunEvent, WorkflowDocument } from '@cloutagent/contract';
import { setTimeout as sleep } from 'node:timers/promises';
import { auditDetail } from '../ledger.ts';
import { between, pick, seeded } from '../random.ts';
import { readRequestLog } from '../request-log.ts';
import { checkHistory } from './check.ts';
import { randomWorkflow } from './graph.ts';
import { LOST, orLost, Person } from './person.ts';
import { openWorld, type World } from './world.ts';

const HOUR = 3_600_000;

const MODEL_FAULTS = [
  '429',
  '429; retry-after=1',
  '500',
  '503',
  '529',
  'drop',
  'drop; after=2',
  'stall',
  'truncate',
  'broken-json',
  'midstream-error; after=1',
  'slow-first-token; ms=600',
  'slow-tokens; ms=60',
  '400',
];
const TOOL_FAULTS = ['error', 'slow', 'hang', 'exit-before', 'exit-after'];

type Blow = (hit: {
  readonly world: World;
  readonly person: Person;
  readonly random: () => number;
  readonly runs: readonly string[];
}) => Promise<void>;

const BLOWS: Readonly<Record<string, Blow>> = {
  kill: ({ world }) => world.killServer(),
  freeze: ({ world, random }) => world.freezeServer(between(random, 50, 700)),
  'freeze the model': ({ world, random }) => world.freezeModel(between(random, 50, 700)),
  clock: async ({ world, random }) => world.setClock(pick(random, [-30 * HOUR, -HOUR, -5_000, 5_000, HOUR, 30 * HOUR])),
  model: ({ world, random }) => world.failModel(pick(random, MODEL_FAULTS)),
  'model again': ({ world, random }) => world.failModel(pick(random, MODEL_FAULTS)),
  tool: async ({ world, random }) => world.failTool(pick(random, TOOL_FAULTS)),
  'tool again': async ({ world, random }) => world.failTool(pick(random, TOOL_FAULTS)),
  database: ({ world, random }) => world.holdDatabase(between(random, 50, 600)),
  pause: ({ person, random, runs }) => person.pauseAndResume(pick(random, runs)),
  cancel: ({ person, random, runs }) => person.cancel(pick(random, runs)),
};

export interface Outcome {
  /** Sentences; none is right. */
  readonly problems: readonly string[];
  readonly ended: Readonly<Record<string, number>>;
  readonly blows: readonly string[];
  readonly events: number;
}

/** Reads a run over all restarts, as a page does, until it has ended. */
const readRun = async (world: World, run: string, signal: AbortSignal): Promise<readonly RunEvent[]> => {
  const seen: RunEvent[] = [];
  while (!signal.aborted) {
    try {
      for await (const frame of world.client.events(run, { after: seen.length, signal })) {
        if (frame.event !== 'run') continue;
        seen.push(frame.data);
        const { body } = frame.data;
        if (body.type === 'run.state' && ['completed', 'failed', 'cancelled'].includes(body.status)) return seen;
      }
    } catch {
      await sleep(50);
    }
  }
  return seen;
};

const doctor = async ({ client }: World): Promise<readonly string[]> => {
  const report = await orLost(client.call('doctor', {}));
  if (report === LOST) return [];
  return report.checks.filter(({ ok, name }) => !ok && name === 'ledger').map(({ detail }) => detail);
};

/** A few workflows at once while everything around them breaks, and then what became of them. */
export const runChaos = async (seed: number): Promise<Outcome> => {
  const random = seeded(seed);
  await using world = await openWorld();
  const person = new Person(world.client, random);
  const workflows = new Map<string, WorkflowDocument>();
  const readers = new Map<string, Promise<readonly RunEvent[]>>();
  const over = new AbortController();
  const problems: string[] = [];
  const start = async (): Promise<void> => {
    const workflow = randomWorkflow(random);
    const run = await orLost(world.client.call('workflowRun', { body: { workflow, input: 'Begin.', budget: '2' } }));
    if (run === LOST) return;
    workflows.set(run.id, workflow);
    readers.set(run.id, readRun(world, run.id, over.signal));
  };
  for (let n = 0; n < 4; n += 1) await start();

  const calm = new AbortController();
  const blows: string[] = [];
  const storm = async (): Promise<void> => {
    const count = between(random, 8, 11);
    for (let n = 0; n < count; n += 1) {
      await sleep(between(random, 20, 350));
      // Whatever else happens, it happens to a process that has just come back, or will soon be gone.
      const name = n % 3 === 1 ? 'kill' : pick(random, Object.keys(BLOWS));
      blows.push(name);
      await BLOWS[name]?.({ world, person, random, runs: [...workflows.keys()] });
      if (random() < 0.25) await start();
      problems.push(...(await doctor(world)));
    }
    // Its circuit forgets what the faults have taught it, and nothing is early any more.
    await world.calm();
    world.setClock(40 * HOUR);
    await world.killServer();
    calm.abort();
  };
  const help = async (): Promise<void> => {
    while (!(await person.look([...workflows.keys()])) || !calm.signal.aborted) await sleep(100);
  };
  await Promise.all([storm(), help()]);

  const requests = readRequestLog(world.project);
  const ended: Record<string, number> = {};
  const late = setTimeout(() => over.abort(), 10_000);
  let spent = 0;
  let events = 0;
  for (const [id, workflow] of workflows) {
    const seen = (await readers.get(id)) ?? [];
    const detail = await world.client.call('runShow', { params: { id } });
    const sent = world.effects('send').filter((key) => key.startsWith(`${id}:`));
    problems.push(...checkHistory({ workflow, seen, detail, told: person.told(id), sent }));
    const { repeated, wrongRows } = auditDetail(detail, requests);
    problems.push(...wrongRows, ...repeated.map((key) => `${id}: ${key} was asked again after its answer`));
    spent += detail.run.money.spent.nanoUsd;
    events += seen.length;
    ended[detail.run.status] = (ended[detail.run.status] ?? 0) + 1;
  }
  clearTimeout(late);
  problems.push(...(await doctor(world)));
  const { items } = await world.client.call('runsList', { query: { limit: 200 } });
  const { budgets } = await world.client.call('costsBudgets', { params: { projectId: 'default' } });
  const project = budgets.find(({ scope, period }) => scope === 'project' && period === 'lifetime');
  // Starts whose answers were lost have their runs too.
  const all = items.reduce((sum, { money }) => sum + money.spent.nanoUsd, 0);
  if (project?.spent.nanoUsd !== all)
    problems.push(`the project spent ${project?.spent.nanoUsd ?? 0}, its runs ${all}`);
  if (items.length === workflows.size && spent !== all) problems.push(`the runs spent ${spent} and say ${all}`);
  return { problems, ended, blows, events };
};
