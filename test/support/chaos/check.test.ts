import { WorkflowDocument, type RunDetail, type RunEvent } from '@cloutagent/contract';
import { expect, it } from 'vitest';
import { checkHistory, type History } from './check.ts';

type Body = RunEvent['body'];

const workflow = WorkflowDocument.parse({
  nodes: [
    { id: 'in', type: 'input' },
    { id: 'a', type: 'agent' },
    { id: 'if', type: 'condition', data: { expression: 'true' } },
    { id: 'no', type: 'template', data: { template: 'no' } },
    { id: 'all', type: 'map', data: { nodes: [{ id: 'each', type: 'input' }] } },
    { id: 'out', type: 'output' },
  ],
  edges: [
    { source: 'in', target: 'a' },
    { source: 'a', target: 'if' },
    { source: 'if', target: 'no', branch: 'else' },
    { source: 'if', target: 'all', branch: 'then' },
    { source: 'no', target: 'out' },
    { source: 'all', target: 'out' },
  ],
});

const start = (node: string): Body => ({ type: 'node.started', node, kind: 'x', title: node, attempt: 1 });
const end = (node: string, status: 'done' | 'skipped' | 'failed' = 'done', branch: 'then' | null = null): Body => ({
  type: 'node.finished',
  node,
  outcome: { status, output: '', branch, error: null, attempts: 1 },
  durationMs: 1,
});
const state = (status: 'running' | 'completed' | 'failed' | 'cancelled' | 'paused', code?: string): Body => ({
  type: 'run.state',
  status,
  reason: code === undefined ? null : { code, message: '', hint: '' },
});
const money = { usd: '0', nanoUsd: 0 };
const asked = (attempt: number): Body => ({
  type: 'model.started',
  step: 'a/turn',
  model: 'm',
  attempt,
  reserved: money,
});
const answered: Body = {
  type: 'model.finished',
  step: 'a/turn',
  stopReason: 'end_turn',
  text: '',
  usage: {} as never,
  cost: money,
};
const intent: Body = { type: 'tool.started', step: 'a/tool', server: 's', tool: 't', input: {} };
const result: Body = { type: 'tool.finished', step: 'a/tool', isError: false, preview: '', durationMs: 1 };

/** A crash after the first question, and another while the map was under way. */
const GOOD: readonly Body[] = [
  state('running'),
  start('in'),
  end('in'),
  start('a'),
  asked(0),
  state('running'),
  start('a'),
  asked(1),
  answered,
  intent,
  result,
  end('a'),
  start('if'),
  end('if', 'done', 'then'),
  end('no', 'skipped'),
  start('all'),
  start('all/map[0]/each'),
  state('running'),
  start('all'),
  start('all/map[0]/each'),
  end('all/map[0]/each'),
  end('all'),
  start('out'),
  end('out'),
  state('completed'),
];

const historyOf = (bodies: readonly Body[], over: Partial<History> = {}): History => {
  const seen = bodies.map((body, index): RunEvent => ({ seq: index + 1, runId: 'run_1', at: 0, body }));
  const last = bodies.findLast((body) => body.type === 'run.state');
  const steps = bodies
    .filter((body) => body.type === 'node.finished')
    .map(({ node, outcome }) => ({ key: node, kind: 'node', output: outcome }));
  const detail = { run: { id: 'run_1', status: last?.status }, steps, lastSeq: seen.length } as unknown as RunDetail;
  const told = { cancelled: false, decisions: new Map(), resumedAt: undefined, repeats: 0 } as const;
  return { workflow, seen, detail, told, sent: [], ...over };
};
const judge = (bodies: readonly Body[], over: Partial<History> = {}): readonly string[] =>
  checkHistory(historyOf(bodies, over)).map((problem) => problem.replace('run_1: ', ''));
const without = (at: Body): readonly Body[] => GOOD.filter((body) => body !== at);
const before = (at: number, ...more: readonly Body[]): readonly Body[] => [
  ...GOOD.slice(0, at),
  ...more,
  ...GOOD.slice(at),
];
const told = (over: Partial<History['told']>): Partial<History> => ({ told: { ...historyOf([]).told, ...over } });

it('finds nothing in a history that is right', () => {
  expect(judge(GOOD)).toEqual([]);
});

it.each<[string, readonly Body[], string]>([
  ['a node that ended twice', before(12, end('a')), 'result of a twice'],
  ['a node that began again after its end', before(12, start('a')), 'a started after it had ended'],
  ['a node before what leads to it', before(1, start('if')), 'if before a'],
  ['a node on an edge that was not taken', before(14, start('no')), 'no was reached against its edges'],
  [
    'a node that was skipped though it was led to',
    before(15, end('all', 'skipped')),
    'all was skipped against its edges',
  ],
  ['an item outside of its map', before(12, start('all/map[1]/each')), 'all/map[1]/each before all'],
  ['a map that ended before its items', before(21, start('all/map[1]/each')), 'all before all/map[1]/each'],
  ['an end without a beginning', before(22, end('other')), 'other ended and had not started'],
  ['an answer twice', before(9, answered), 'result of a/turn twice'],
  ['a question after the answer', before(9, asked(2)), 'a/turn was asked again after its answer'],
  ['an attempt twice', before(8, asked(1)), 'a/turn#1 twice'],
  ['a call twice', before(11, intent), 'intent of a/tool twice'],
  ['a result without an intent', without(intent), 'a/tool has a result and no intent'],
  ['something after the end', [...GOOD, asked(9)], 'model.started after the end'],
  ['a run that is lost', GOOD.slice(0, -1), 'lost: it is running'],
  [
    'a run that completed without all of its nodes',
    before(24).filter((body) => body !== GOOD[14]),
    'completed without no',
  ],
  ['a failure of nothing', [...GOOD.slice(0, -1), state('failed')], 'failed, and no node did: '],
  ['a cancellation by nobody', [...GOOD.slice(0, -1), state('cancelled')], 'cancelled by nobody'],
])('finds %s', (_what, bodies, problem) => {
  expect(judge(bodies)).toContain(problem);
});

it('finds gaps, what was taken back and what was never shown', () => {
  const { seen, detail } = historyOf(GOOD);
  const gap = seen.filter(({ seq }) => seq !== 5);
  expect(judge(GOOD, { seen: gap })).toContain('event 6 in the place of 5');
  expect(judge(GOOD, { seen: gap })).toContain('25 events are stored, 24 were shown');
  const [, ...steps] = detail.steps;
  expect(judge(GOOD, { detail: { ...detail, steps } })).toEqual(['in was shown as done and is stored as nothing']);
  expect(judge(GOOD, { detail: { ...detail, steps: [...detail.steps, ...steps.slice(0, 1)] } })).toEqual([
    'a step has two rows',
  ]);
});

it('finds what was acknowledged and forgotten', () => {
  expect(judge(GOOD, told({ cancelled: true }))).toEqual(['completed though it was cancelled']);
  expect(judge(GOOD, told({ cancelled: 'maybe' }))).toEqual([]);
  expect(judge(GOOD, told({ decisions: new Map([['apr_1', 'approved']]) }))).toEqual([
    'forgot that apr_1 was approved',
  ]);
  const paused = before(5, state('paused', 'PAUSED'));
  expect(judge(paused, told({ resumedAt: 5 }))).toEqual(['paused after it was told to go on']);
  expect(judge(paused, told({ resumedAt: 6 }))).toEqual([]);
});

it('finds effects that nobody let happen again', () => {
  expect(judge(GOOD, { sent: ['k', 'k'] })).toEqual(['k acted 2 times, and a person let it 0 times']);
  expect(judge(GOOD, { sent: ['k', 'k'], ...told({ repeats: 1 }) })).toEqual([]);
});
