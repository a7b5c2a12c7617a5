import type { CostAlert, RunEvent, TextDelta, WorkflowDocument } from '@cloutagent/contract';
import { WorkflowDocument as Schema } from '@cloutagent/contract';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkHistory } from './chaos/check.ts';
import { Person } from './chaos/person.ts';
import { openWorld, type World } from './chaos/world.ts';
import { between, seeded } from './random.ts';
import { openSseReader, type SseReader } from './sse-reader.ts';

const agent = (id: string) => ({ id, type: 'agent', data: { systemPrompt: `You are ${id}.`, maxTokens: 256 } });
const edge = (source: string, target: string) => ({ source, target });

/** Branches, a map and a row of agents: events come from several calls at once, and keep coming. */
const WORKFLOW: WorkflowDocument = Schema.parse({
  name: 'streamed',
  nodes: [
    { id: 'in', type: 'input' },
    agent('left'),
    agent('right'),
    { id: 'list', type: 'template', data: { template: 'one\ntwo\nthree' } },
    { id: 'map', type: 'map', data: { nodes: [agent('each')] } },
    agent('last'),
    { id: 'out', type: 'output' },
  ],
  edges: [
    edge('in', 'left'),
    edge('in', 'right'),
    edge('right', 'list'),
    edge('list', 'map'),
    edge('left', 'last'),
    edge('map', 'last'),
    edge('last', 'out'),
  ],
});

const ENDED: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled']);
const PROJECT = { projectId: 'default' };

const runEvents = (reader: SseReader): readonly RunEvent[] =>
  reader.events.filter(({ event }) => event === 'run').map(({ data }) => JSON.parse(data) as RunEvent);

const isEnd = ({ event, data }: { readonly event?: string; readonly data: string }): boolean => {
  if (event !== 'run') return false;
  const { body } = JSON.parse(data) as RunEvent;
  return body.type === 'run.state' && ENDED.has(body.status);
};

/** What a page shows of a call while it streams must be the beginning of what the call has said at last. */
const wrongTexts = (reader: SseReader): readonly string[] => {
  const texts = new Map<string, string>();
  const wrong: string[] = [];
  for (const { event, data } of reader.events) {
    if (event === 'text') {
      const { step, text, snapshot } = JSON.parse(data) as TextDelta;
      texts.set(step, snapshot ? text : `${texts.get(step) ?? ''}${text}`);
    } else if (event === 'run') {
      const { body } = JSON.parse(data) as RunEvent;
      if (body.type !== 'model.finished') continue;
      const shown = texts.get(body.step) ?? '';
      if (!body.text.startsWith(shown)) wrong.push(`${body.step} showed "${shown}" and said "${body.text}"`);
    }
  }
  return wrong;
};

export interface StreamFigures {
  readonly kills: number;
  readonly events: number;
  readonly texts: number;
  readonly alerts: number;
  /** Sentences about gaps, duplicates and what is out of order; none is right. */
  readonly problems: readonly string[];
}

/** Kills the server in the middle of a run's stream again and again; the readers come back to the one that follows. */
const readUnderFire = async (
  world: World,
  kills: number,
  random: () => number,
): Promise<Omit<StreamFigures, 'alerts'>> => {
  const run = await world.client.call('workflowRun', { body: { workflow: WORKFLOW, input: 'Begin.', budget: '2' } });
  const { id } = run;
  const reader = openSseReader(`${world.url}/api/runs/${id}/events`, world.token, isEnd);
  const person = new Person(world.client, random);
  const over = new AbortController();
  // A node whose calls were cut off often has used up what it may cost, and waits for a raise.
  const help = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await person.look([id]);
      await sleep(200);
    }
  };
  const helping = help();
  let done = 0;
  for (; done < kills; done += 1) {
    await reader.more(between(random, 1, 12));
    if (reader.events.some(isEnd)) break;
    await world.killServer();
  }
  await reader.more(Number.POSITIVE_INFINITY);
  await reader.close();
  over.abort();
  await helping;
  const seen = runEvents(reader);
  const detail = await world.client.call('runShow', { params: { id } });
  const stored: RunEvent[] = [];
  for await (const frame of world.client.events(id, { after: 0, untilSettled: true }))
    if (frame.event === 'run') stored.push(frame.data);
  return {
    kills: done,
    events: seen.length,
    texts: reader.events.filter(({ event }) => event === 'text').length,
    problems: [
      ...checkHistory({ workflow: WORKFLOW, seen, detail, told: person.told(id), sent: [] }),
      ...wrongTexts(reader),
      ...(JSON.stringify(seen) === JSON.stringify(stored) ? [] : [`${id}: what was shown is not what is stored`]),
      ...(detail.run.status === 'completed' ? [] : [`${id} is ${detail.run.status}`]),
    ],
  };
};

/** So many deaths of the server, a few in each run, while one reader of cost alerts stays over all of them. */
export const killMidStream = async (kills: number, seed: number): Promise<StreamFigures> => {
  const random = seeded(seed);
  await using world = await openWorld();
  const thresholds = Array.from({ length: 20 }, (_, n) => n + 1);
  await world.client.call('costsLimit', {
    params: PROJECT,
    body: { limitType: 'lifetime', limitAmount: '2', alertThresholds: thresholds },
  });
  const alerts = openSseReader(`${world.url}/api/costs/alerts/events`, world.token);
  let all: Omit<StreamFigures, 'alerts'> = { kills: 0, events: 0, texts: 0, problems: [] };
  while (all.kills < kills) {
    const one = await readUnderFire(world, Math.min(5, kills - all.kills), random);
    all = {
      kills: all.kills + one.kills,
      events: all.events + one.events,
      texts: all.texts + one.texts,
      problems: [...all.problems, ...one.problems],
    };
  }
  const { alerts: stored } = await world.client.call('costsAlerts', { params: PROJECT });
  const shown = (): readonly CostAlert[] =>
    alerts.events.filter(({ event }) => event === 'alert').map(({ data }) => JSON.parse(data) as CostAlert);
  while (shown().length < stored.length) await alerts.more(1);
  await alerts.close();
  const wrong =
    JSON.stringify(shown()) === JSON.stringify(stored)
      ? []
      : ['the alerts that were shown are not those that are stored'];
  return { ...all, alerts: stored.length, problems: [...all.problems, ...wrong] };
};
