import { codeOf, CloutError } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { ModelCallError } from '../model/port.ts';
import { say } from '../model/port.fake.ts';
import { LEVELS, openRig, PROJECT_LEVEL, RUN_LEVEL, type Rig } from '../workflow/drive.fake.ts';
import { openConversation, toPrefix, withUser } from './conversation.ts';
import type { ModelResult } from './model-attempt.ts';
import { modelStep } from './step-model.ts';

const conversation = withUser(openConversation(toPrefix('claude-sonnet-5-5', 'You work.', [])), 'Hello');
const step = { key: 'task[1]/try[0]/turn[0]', conversation, allowance: 0, cutAt: undefined };
const usage = { inputTokens: 100, cacheReadTokens: 0, cacheWrite5mTokens: 0, cacheWrite1hTokens: 0, outputTokens: 20 };
const BILL = 100 * 2000 + 20 * 10_000;

const run = async (rig: Rig): Promise<ModelResult> => modelStep(await rig.drive(), rig.use, step);
const overloaded = (billing: 'none' | 'unknown', retryAfterMs?: number): ModelCallError =>
  new ModelCallError('MODEL_UNAVAILABLE', 'Overloaded', { billing, retryable: true, retryAfterMs });
const typesOf = (rig: Rig): string[] => rig.events.map(({ body }) => body.type);
const caught = async (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'no error',
    (error: unknown) => error,
  );

describe('a model step', () => {
  it('[X1.settle E3.usage X2.atomic] is reserved, asked once, settled at its price and recorded', async () => {
    const rig = await openRig({ script: () => ({ ...say('Hi there'), usage }), limit: 1e9, projectLimit: 1e9 });
    const { answer } = await run(rig);
    expect(answer.content).toEqual([{ type: 'text', text: 'Hi there' }]);
    expect(rig.model.calls.map((call) => call.idempotencyKey)).toEqual(['run_1:task[1]/try[0]/turn[0]#1']);
    const [row] = rig.journal.state('run_1').ledger.values();
    expect(row).toMatchObject({ outcome: 'known', amount: BILL, usage, attempt: 1 });
    expect(row?.reserved).toBeGreaterThan(BILL);
    expect(await rig.journal.budgets(LEVELS)).toMatchObject([
      { spentNanoUsd: BILL, heldNanoUsd: 0 },
      { spentNanoUsd: BILL, heldNanoUsd: 0 },
    ]);
    expect(rig.journal.state('run_1').steps.get(step.key)).toMatchObject({ kind: 'model', costNanoUsd: BILL, usage });
    expect(rig.events.map(({ body }) => body)).toMatchObject([
      { type: 'model.started', attempt: 1, reserved: { nanoUsd: row?.reserved } },
      { type: 'model.finished', text: 'Hi there', stopReason: 'end_turn', usage, cost: { nanoUsd: BILL } },
      { type: 'money', limit: { nanoUsd: 1e9 }, spent: { nanoUsd: BILL }, held: { nanoUsd: 0 } },
    ]);
    expect(rig.texts).toEqual([{ runId: 'run_1', step: step.key, text: 'Hi there', snapshot: false }]);
  });

  it('[X2.no-repeat] that is recorded is not asked again, by nobody', async () => {
    const rig = await openRig({ script: () => ({ ...say('Hi'), usage }) });
    const first = await run(rig);
    expect(await run(rig)).toEqual(first);
    expect(rig.model.calls).toHaveLength(1);
    expect(rig.journal.state('run_1').ledger.size).toBe(1);
  });

  it('[X2.diverged DIVERGED] that was made from another history is refused', async () => {
    const rig = await openRig({ script: () => say('Hi') });
    await run(rig);
    const other = withUser(openConversation(toPrefix('claude-sonnet-5-5', 'You work.', [])), 'Hello!');
    const error = await caught(modelStep(await rig.drive(), rig.use, { ...step, conversation: other }));
    expect(codeOf(error)).toBe('DIVERGED');
    expect(rig.model.calls).toHaveLength(1);
  });

  it('[X1.reserve] learns what the beginning of a request holds, for the bound of the next', async () => {
    const rig = await openRig({ script: () => ({ ...say('Hi'), usage }) });
    const drive = await rig.drive();
    await modelStep(drive, rig.use, step);
    await modelStep(drive, rig.use, { ...step, key: 'task[2]/try[0]/turn[0]' });
    const [first, second] = [...rig.journal.state('run_1').ledger.values()].map((row) => row.reserved);
    const message = Buffer.byteLength('{"role":"user","content":"Hello"}');
    expect(second).toBe((100 + 64 + message) * 2000 + 8192 * 10_000);
    expect(second).toBeLessThan(first ?? 0);
  });
});

describe('[X1.reserve] [D9] a store that fails', () => {
  it.each(['STORAGE_FULL', 'STORAGE_BUSY', 'STORAGE_FAILED'] as const)(
    'with %s sends nothing: without a reservation there is no call',
    async (code) => {
      const rig = await openRig({ script: () => say('Hi'), limit: 1e9 });
      const drive = await rig.drive();
      const commit = () => Promise.reject(new CloutError(code, 'The disk is full'));
      expect(codeOf(await caught(modelStep({ ...drive, commit }, rig.use, step)))).toBe(code);
      expect(rig.model.calls).toHaveLength(0);
      // As soon as it works again, so does the step.
      await modelStep(drive, rig.use, step);
      expect(rig.model.calls).toHaveLength(1);
    },
  );
});

describe('[X1.unknown X1.bound-violated] what an answer proves', () => {
  it('is journaled when it begins, so that a call that is lost then is booked at what it can have cost', async () => {
    const rig = await openRig({ script: () => ({ ...say('Hi'), usage }), limit: 1e9 });
    const broken = {
      ...rig.use.port,
      async *stream(...args: Parameters<typeof rig.model.stream>) {
        for await (const event of rig.model.stream(...args)) {
          if (event.type === 'end') throw overloaded('unknown');
          yield event;
        }
      },
    };
    const drive = await rig.drive();
    await caught(modelStep(drive, { ...rig.use, port: broken }, step));
    const [row] = rig.journal.state('run_1').ledger.values();
    // Exactly 100 tokens were read; the answer may have been as long as it was allowed to be.
    expect(row).toMatchObject({ outcome: 'unknown', amount: 100 * 2000 + 5000 * 10_000 });
    expect(row?.amount).toBeLessThan(row?.reserved ?? 0);
  });

  it('beyond its bound is recorded, and the next bound of the model is larger by as much', async () => {
    const dear = { ...usage, inputTokens: 100_000, outputTokens: 8192 };
    const rig = await openRig({ script: () => ({ ...say('Hi'), usage: dear }) });
    const drive = await rig.drive();
    await modelStep(drive, rig.use, step);
    await modelStep(drive, rig.use, { ...step, key: 'b' });
    const rows = [...rig.journal.state('run_1').ledger.values()];
    expect(rows[0]).toMatchObject({ outcome: 'known', amount: 100_000 * 2000 + 8192 * 10_000 });
    expect(rows[0]?.amount).toBeGreaterThan(rows[0]?.reserved ?? 0);
    expect(rows[1]?.reserved).toBeGreaterThanOrEqual(rows[1]?.amount ?? 0);
  });
});

describe('a failed attempt', () => {
  it('[E3.retry X1.released X1.unknown] is settled for itself, told, waited for and made again under a number of its own', async () => {
    const rig = await openRig({
      limit: 1e9,
      script: (_request, nth) => {
        if (nth === 0) throw overloaded('none', 7000);
        if (nth === 1) throw overloaded('unknown');
        return { ...say('Hi'), usage };
      },
    });
    await run(rig);
    const ledger = [...rig.journal.state('run_1').ledger.values()];
    expect(
      ledger.map(({ outcome, attempt, amount, reserved }) => ({ outcome, attempt, atBound: amount === reserved })),
    ).toEqual([
      { outcome: 'released', attempt: 1, atBound: false },
      { outcome: 'unknown', attempt: 2, atBound: true },
      { outcome: 'known', attempt: 3, atBound: false },
    ]);
    expect(ledger[0]?.amount).toBe(0);
    expect(rig.clock.slept).toEqual([7000, 500]);
    expect(typesOf(rig)).toEqual([
      'model.started',
      'model.retry',
      'money',
      'model.started',
      'model.retry',
      'money',
      'model.started',
      'model.finished',
      'money',
    ]);
    expect(await rig.journal.budgets([RUN_LEVEL])).toMatchObject([
      { spentNanoUsd: BILL + (ledger[1]?.reserved ?? 0), heldNanoUsd: 0 },
    ]);
    expect(rig.texts.map(({ text, snapshot }) => [text, snapshot])).toEqual([
      ['', true],
      ['', true],
      ['Hi', false],
    ]);
  });

  it('[E3.retry MODEL_UNAVAILABLE] is given up after four', async () => {
    const rig = await openRig({
      script: () => {
        throw overloaded('none', 30_000);
      },
    });
    const error = await caught(run(rig));
    expect(error).toMatchObject({ code: 'MODEL_UNAVAILABLE', message: 'Overloaded; it was tried 4 times' });
    expect(rig.model.calls).toHaveLength(4);
    expect(rig.clock.slept).toEqual([30_000, 30_000, 30_000]);
    expect(await rig.journal.budgets([RUN_LEVEL])).toMatchObject([{ spentNanoUsd: 0, heldNanoUsd: 0 }]);
  });

  it('[E3.retry] [D7] is given up at once where the server asks for an hour, and says so', async () => {
    const rig = await openRig({
      script: () => {
        throw overloaded('none', 3_600_000);
      },
    });
    expect(await caught(run(rig))).toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      message: 'Overloaded; it asks to wait for 3600 s',
      retryAfter: 3600,
    });
    expect(rig.model.calls).toHaveLength(1);
    expect(rig.clock.slept).toEqual([]);
  });

  it('[E3.retry MODEL_REQUEST_REFUSED] is not repeated where that cannot help', async () => {
    const rig = await openRig({
      script: () => {
        throw new ModelCallError('MODEL_REQUEST_REFUSED', 'Bad tool name', { billing: 'none', retryable: false });
      },
    });
    expect(await caught(run(rig))).toMatchObject({ code: 'MODEL_REQUEST_REFUSED', message: 'Bad tool name' });
    expect(rig.model.calls).toHaveLength(1);
    expect(typesOf(rig)).toEqual(['model.started', 'money']);
  });

  it('[X1.unknown X1.never-over] books what may have been billed, so that repeating ends at the limit', async () => {
    const rig = await openRig({
      limit: 30_000_000,
      script: () => {
        throw overloaded('unknown');
      },
    });
    expect(codeOf(await caught(run(rig)))).toBe('BUDGET_EXHAUSTED');
    const [budget] = await rig.journal.budgets([RUN_LEVEL]);
    expect(budget?.spentNanoUsd).toBeLessThanOrEqual(30_000_000);
    expect(budget?.spentNanoUsd).toBe(
      [...rig.journal.state('run_1').ledger.values()].reduce((sum, row) => sum + row.amount, 0),
    );
    expect(rig.model.calls.length).toBeGreaterThan(1);
  });
});

describe('an aborted step', () => {
  it('[X1.unknown] settles the call in flight at its bound', async () => {
    const rig = await openRig({ script: () => 'hang', limit: 1e9 });
    const call = run(rig);
    while (rig.model.calls.length === 0) await Promise.resolve();
    rig.controller.abort('cancelled');
    expect(await caught(call)).toBe('cancelled');
    const [row] = rig.journal.state('run_1').ledger.values();
    expect(row).toMatchObject({ outcome: 'unknown', amount: row?.reserved });
    expect(rig.model.calls).toHaveLength(1);
  });

  it('reserves nothing once it is aborted', async () => {
    const rig = await openRig({ script: () => say('Hi') });
    rig.controller.abort('stopping');
    expect(await caught(run(rig))).toBe('stopping');
    expect(rig.journal.state('run_1').ledger.size).toBe(0);
  });
});

describe('[X1.never-over] a race for the money of the project', () => {
  it('is looked at once more, and shortens the answer to what is left', async () => {
    const rig = await openRig({ script: () => ({ ...say('Hi'), usage }), projectLimit: 1e9, limit: 1e9 });
    const { journal } = rig;
    let raced = false;
    const racing: Rig['journal'] = {
      ...journal,
      commit: async (claim, unit) => {
        if (!raced) {
          raced = true;
          journal.setLimit(PROJECT_LEVEL, 15_000_000);
        }
        return journal.commit(claim, unit);
      },
    };
    const drive = await rig.drive();
    await modelStep(
      { ...drive, journal: racing, commit: async (unit) => void (await racing.commit(drive.claim, unit)) },
      rig.use,
      step,
    );
    const [row] = journal.state('run_1').ledger.values();
    expect(row?.reserved).toBeLessThanOrEqual(15_000_000);
    expect(rig.model.calls[0]?.request.maxTokens).toBeLessThan(8192);
  });

  it('[FENCED] drops the work of a driver that was replaced', async () => {
    const rig = await openRig({ script: () => say('Hi') });
    const stale = await rig.drive();
    await rig.drive();
    expect(await caught(modelStep(stale, rig.use, step))).toBeInstanceOf(CloutError);
    expect(codeOf(await caught(modelStep(stale, rig.use, step)))).toBe('FENCED');
    expect(rig.model.calls).toHaveLength(0);
  });

  it('[X1.unknown] books what a dead driver left open, and asks again under a new number', async () => {
    const rig = await openRig({ script: () => ({ ...say('Hi'), usage }), limit: 1e9 });
    const dead = await rig.drive();
    const dying = {
      ...dead,
      commit: async (unit: Parameters<typeof dead.commit>[0]) => {
        await dead.commit(unit);
        throw new Error('killed');
      },
    };
    expect(await caught(modelStep(dying, rig.use, step))).toMatchObject({ message: 'killed' });
    await run(rig);
    expect(
      [...rig.journal.state('run_1').ledger.values()].map(({ outcome, attempt }) => ({ outcome, attempt })),
    ).toEqual([
      { outcome: 'unknown', attempt: 1 },
      { outcome: 'known', attempt: 11 },
    ]);
  });
});
