import { codeOf, type BudgetLevel } from '@cloutagent/contract';
import { systemClock } from '@cloutagent/kit';
import { describe, expect, it } from 'vitest';
import { loadPrices, priceFor } from '../model/price.ts';
import { holdCall } from './hold.ts';
import { refusal } from './memory.ts';
import { BudgetQueue } from './queue.ts';
import type { Call, Reservation } from './reserve.ts';

const price = priceFor(loadPrices(), 'claude-sonnet-5-5');
const RUN: BudgetLevel = { scope: 'run', id: 'r' };
/** Input $0.002, and $0.00001 a token of output. */
const INPUT = 2_000_000;
const callOf = (outputTokens: number, exact = false): Call => ({ price, inputTokens: 1000, outputTokens, exact });

/** One budget in memory, with the queue of those who wait for it. */
const openBudget = (limit: number) => {
  const queue = new BudgetQueue();
  const budget = { ...RUN, limitNanoUsd: limit, spentNanoUsd: 0, heldNanoUsd: 0 };
  const tries: number[] = [];
  return {
    budget,
    queue,
    tries,
    hold: async (call: Call, signal = new AbortController().signal): Promise<Reservation> =>
      holdCall(call, {
        queue,
        levels: [RUN],
        clock: systemClock,
        signal,
        hold: async ({ amountNanoUsd }) => {
          tries.push(amountNanoUsd);
          if (budget.spentNanoUsd + budget.heldNanoUsd + amountNanoUsd > budget.limitNanoUsd)
            throw refusal({ ...budget }, amountNanoUsd);
          budget.heldNanoUsd += amountNanoUsd;
        },
      }),
    settle: (held: Reservation, cost: number): void => {
      budget.heldNanoUsd -= held.amountNanoUsd;
      budget.spentNanoUsd += cost;
      queue.freed([RUN]);
    },
  };
};

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('[X1.clamp] holding money for a call', () => {
  it('takes the whole where it fits, and a shorter answer where that does', async () => {
    const { hold, budget } = openBudget(3 * INPUT + 10_000_000);
    expect(await hold(callOf(400))).toEqual({ maxTokens: 400, amountNanoUsd: INPUT + 4_000_000 });
    // What is left pays 800 tokens beside the input of this one: 2 × 2,000,000 are still needed.
    expect(await hold(callOf(4096))).toEqual({ maxTokens: 800, amountNanoUsd: INPUT + 8_000_000 });
    expect(budget.heldNanoUsd).toBe(2 * INPUT + 12_000_000);
  });

  it('[X1.pause] is refused at once where nobody holds anything, with what the whole call takes', async () => {
    const { hold, budget } = openBudget(INPUT + 5_119_999);
    const error = await hold(callOf(4096)).catch((caught: unknown) => caught);
    expect(codeOf(error)).toBe('BUDGET_EXHAUSTED');
    expect(error).toMatchObject({ details: { neededNanoUsd: INPUT + 40_960_000 } });
    expect(budget.heldNanoUsd).toBe(0);
  });

  it('is refused at once where even all that others hold would not do', async () => {
    const { hold } = openBudget(INPUT + 6_000_000);
    await hold(callOf(100));
    const refused = await hold(callOf(700, true)).catch(codeOf);
    expect(refused).toBe('BUDGET_EXHAUSTED');
  });
});

describe('[X1.wait] waiting for money that others hold', () => {
  it('goes on when they settle, first come first served, and nobody passes the line', async () => {
    const { hold, settle, budget } = openBudget(2 * (INPUT + 10_240_000));
    const first = await hold(callOf(1024, true));
    const second = await hold(callOf(1024, true));
    const order: string[] = [];
    const waiting = ['a', 'b', 'c'].map(async (name, index) => {
      for (let i = 0; i < index; i += 1) await tick();
      const held = await hold(callOf(1024, true));
      order.push(name);
      return held;
    });
    for (let i = 0; i < 5; i += 1) await tick();
    // It would fit if it were asked first, and stands behind.
    const small = hold(callOf(1)).then(() => order.push('small'));
    await tick();
    expect(order).toEqual([]);
    settle(first, 1_000_000);
    settle(second, 1_000_000);
    const held = await waiting[0];
    for (let i = 0; i < 5; i += 1) await tick();
    expect(order).toEqual(['a']);
    if (held !== undefined) settle(held, 0);
    const next = await waiting[1];
    if (next !== undefined) settle(next, 0);
    await Promise.all([...waiting, small]);
    expect(order).toEqual(['a', 'b', 'c', 'small']);
    expect(budget.spentNanoUsd + budget.heldNanoUsd).toBeLessThanOrEqual(budget.limitNanoUsd);
  });

  it('ends with the signal, and leaves the line to the next', async () => {
    const { hold, settle } = openBudget(INPUT + 10_240_000);
    const first = await hold(callOf(1024, true));
    const controller = new AbortController();
    const gone = hold(callOf(1024, true), controller.signal).catch((error: unknown) => error);
    const next = hold(callOf(1024, true));
    await tick();
    controller.abort(new Error('cancelled'));
    expect(await gone).toMatchObject({ message: 'cancelled' });
    settle(first, 0);
    expect((await next).maxTokens).toBe(1024);
  });

  it('ends in a pause when it takes too long', async () => {
    let time = 0;
    const clock = {
      now: () => time,
      monotonic: () => time,
      sleep: async (ms: number) => {
        time += ms;
      },
    };
    const budget = { ...RUN, limitNanoUsd: INPUT + 10_240_000, spentNanoUsd: 0, heldNanoUsd: 5_000_000 };
    let tries = 0;
    const held = holdCall(callOf(1024, true), {
      queue: new BudgetQueue(),
      levels: [RUN],
      clock,
      signal: new AbortController().signal,
      hold: async ({ amountNanoUsd }) => {
        tries += 1;
        throw refusal(budget, amountNanoUsd);
      },
    });
    expect(await held.catch(codeOf)).toBe('BUDGET_EXHAUSTED');
    // Looked again about once a second, because others may settle in another process.
    expect(time).toBeGreaterThanOrEqual(120_000);
    expect(tries).toBeGreaterThan(100);
  });
});
