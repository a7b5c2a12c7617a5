import { toMoney, type RunEvent, type RunEventBody, type RunFrame } from '@cloutagent/contract';
import type { Clock } from '@cloutagent/kit';
import { expect, test } from 'vitest';
import { createWait, watchWait } from './wait.ts';

const frame = (body: RunEventBody): RunFrame => {
  const data: RunEvent = { seq: 1, runId: 'run_1', at: 0, body };
  return { event: 'run', id: '1', data };
};
const started = frame({ type: 'model.started', step: 's', model: 'm', attempt: 1, reserved: toMoney(1) });
const retried = frame({ type: 'model.retry', step: 's', attempt: 1, code: 'C', message: 'm', delayMs: 1 });
const said: RunFrame = { event: 'text', data: { runId: 'run_1', step: 's', text: 't', snapshot: false } };

/** Time passes only while somebody sleeps. */
const sleeper = (): Clock & { pass(seconds: number): void } => {
  let ms = 0;
  return {
    now: () => ms,
    monotonic: () => ms,
    sleep: async (time) => {
      ms += time;
    },
    pass: (seconds) => {
      ms += seconds * 1000;
    },
  };
};

test('[X9.progress] a model call that says nothing for ten seconds is waited for, until it says something', () => {
  const clock = sleeper();
  const wait = createWait(clock);
  clock.pass(60);
  expect(wait.quiet()).toBeUndefined();
  wait.frame(started);
  clock.pass(9);
  expect(wait.quiet()).toBeUndefined();
  clock.pass(3);
  expect(wait.quiet()).toEqual({ text: 'waiting for the model (12 s)', seconds: 12 });
  wait.frame(said);
  expect(wait.quiet()).toBeUndefined();
  clock.pass(10);
  expect(wait.quiet()?.seconds).toBe(10);
  wait.frame(retried);
  expect(wait.quiet()).toBeUndefined();
});

test('[X9.progress] a log gets a line when the wait begins and whenever it has doubled', async () => {
  const clock = sleeper();
  const wait = createWait(clock);
  const over = new AbortController();
  const lines: string[] = [];
  wait.frame(started);
  await watchWait(wait, clock, over.signal, (text) => {
    lines.push(text);
    if (lines.length === 3) over.abort();
  });
  expect(lines).toEqual([10, 20, 40].map((seconds) => `waiting for the model (${seconds} s)`));
});
