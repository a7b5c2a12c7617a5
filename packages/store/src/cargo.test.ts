import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadOutcome, loadUnit, unloadOutcomes, unloadUnits } from './cargo.ts';
import type { Cargo, CommitOrder, Outcome, SqlUnit } from './unit.ts';

const text = fc.string({ unit: 'binary' });
const int = fc.maxSafeInteger();
const textOrNull = fc.option(text);
const usage = fc.record(
  {
    inputTokens: int,
    cacheReadTokens: int,
    cacheWrite5mTokens: int,
    cacheWrite1hTokens: int,
    outputTokens: int,
    webSearchRequests: int,
    traits: fc.subarray(['batch' as const, 'us' as const, 'fast' as const]),
  },
  {
    requiredKeys: ['inputTokens', 'cacheReadTokens', 'cacheWrite5mTokens', 'cacheWrite1hTokens', 'outputTokens'],
    noNullPrototype: true,
  },
);
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true });

const op = fc.oneof(
  record({
    op: fc.constant('reserve' as const),
    id: text,
    stepKey: text,
    attempt: int,
    model: text,
    priceId: text,
    amountNanoUsd: int,
  }),
  record({ op: fc.constant('proven' as const), id: text, boundNanoUsd: int, usage, requestId: textOrNull }),
  record({
    op: fc.constant('settle' as const),
    id: text,
    outcome: fc.constantFrom('known' as const, 'unknown' as const, 'released' as const),
    amountNanoUsd: int,
    usage: fc.option(usage),
    requestId: textOrNull,
  }),
);
const step = record({
  key: text,
  kind: fc.constantFrom('model' as const, 'tool' as const),
  name: text,
  inputHash: text,
  input: text,
  output: text,
  isError: fc.boolean(),
  usage: textOrNull,
  costNanoUsd: int,
  startedAt: int,
  endedAt: int,
});
const order: fc.Arbitrary<CommitOrder> = record({
  mode: fc.constant('commit' as const),
  runId: text,
  projectId: text,
  fence: int,
  moment: record({ now: int, slots: record({ day: text, week: text, month: text }), enforced: fc.boolean() }),
  money: fc.array(op, { maxLength: 3 }),
  steps: fc.array(step, { maxLength: 3 }),
  events: fc.array(record({ type: text, body: text }), { maxLength: 3 }),
  others: textOrNull,
});
const sql: SqlUnit = { mode: 'read', statements: [{ sql: 'SELECT ?', params: [1] }] };
const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.constant<Outcome>({ kind: 'done', answers: [] }),
  fc.constant<Outcome>({ kind: 'refused', index: 2, explained: [{ n: 7 }] }),
  record({
    kind: fc.constant('performed' as const),
    performed: record({ seq: int, money: textOrNull, alerts: fc.boolean() }),
  }),
);

describe('what crosses between the threads', () => {
  it('gives every unit as it was, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(int, fc.oneof(order, fc.constant(sql)))), (units) => {
        const cargo: Cargo<SqlUnit> = [];
        for (const [id, unit] of units) loadUnit(cargo, id, unit);
        const unloaded: unknown[] = [];
        unloadUnits(structuredClone(cargo), (...numbered) => unloaded.push(numbered));
        expect(unloaded).toEqual(units);
      }),
    );
  });

  it('gives every outcome as it was, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(int, outcome)), (outcomes) => {
        const cargo: Cargo<Outcome> = [];
        for (const [id, one] of outcomes) loadOutcome(cargo, id, one);
        const unloaded: unknown[] = [];
        unloadOutcomes(structuredClone(cargo), (...numbered) => unloaded.push(numbered));
        expect(unloaded).toEqual(outcomes);
      }),
    );
  });
});
