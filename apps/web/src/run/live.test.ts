import { NO_USAGE, toMoney } from '@cloutagent/contract';
import { describe, expect, test } from 'vitest';
import { applyFrames, EMPTY_LIVE } from './live.ts';
import { frame, text } from './run.testing.ts';

const TURN = 'task[1.1]/try[0]/turn[0]';
const started = frame(1, { type: 'model.started', step: TURN, model: 'm', attempt: 1, reserved: toMoney(5) });

describe('applyFrames', () => {
  test('[E4.snapshot] a snapshot replaces the text of a call, a delta goes on with it', () => {
    const live = applyFrames(EMPTY_LIVE, [
      started,
      text(TURN, 'lost'),
      text(TURN, 'Hello', true),
      text(TURN, ' world'),
    ]);
    expect(live.steps.get(TURN)?.text).toBe('Hello world');
    expect(live.current).toBe(TURN);
  });

  test('the text of a finished call is the event’s, and another attempt starts from nothing', () => {
    const finished = frame(2, {
      type: 'model.finished',
      step: TURN,
      stopReason: 'end_turn',
      text: 'All of it',
      usage: NO_USAGE,
      cost: toMoney(7),
    });
    const live = applyFrames(EMPTY_LIVE, [started, text(TURN, 'All'), finished]);
    expect(live.steps.get(TURN)).toMatchObject({
      text: 'All of it',
      costNanoUsd: 7,
      endedAt: 200,
      stopReason: 'end_turn',
    });
    const again = applyFrames(live, [
      frame(3, { type: 'model.started', step: TURN, model: 'm', attempt: 2, reserved: toMoney(5) }),
    ]);
    expect(again.steps.get(TURN)).toMatchObject({ text: '', endedAt: null, attempt: 2 });
  });

  test('[X9.live-run] events that were seen before are ignored, and a missing one is noticed', () => {
    const money = frame(2, { type: 'money', limit: null, spent: toMoney(3), held: toMoney(1) });
    const live = applyFrames(EMPTY_LIVE, [started, money, money, started]);
    expect(live).toMatchObject({ lastSeq: 2, gap: false, money: { spent: { nanoUsd: 3 } } });
    expect(applyFrames(live, [frame(4, { type: 'run.state', status: 'completed', reason: null })])).toMatchObject({
      gap: true,
      status: 'completed',
      lastSeq: 4,
    });
  });

  test('retries, tools, checks and outcomes land on their steps', () => {
    const tool = `${TURN}/tool[0]`;
    const outcome = {
      taskId: '1.1',
      ticked: true,
      verification: 'checked' as const,
      attempts: 1,
      evidence: [],
      note: 'done',
    };
    const live = applyFrames(EMPTY_LIVE, [
      frame(1, { type: 'task.started', taskId: '1.1', title: 'First' }),
      frame(2, { type: 'model.retry', step: TURN, attempt: 1, code: 'MODEL_UNAVAILABLE', message: '529', delayMs: 10 }),
      frame(2, { type: 'model.retry', step: TURN, attempt: 1, code: 'MODEL_UNAVAILABLE', message: '529', delayMs: 10 }),
      frame(3, { type: 'tool.started', step: tool, server: 'filesystem', tool: 'write_file', input: { path: 'a' } }),
      frame(4, { type: 'tool.finished', step: tool, isError: true, preview: 'EACCES', durationMs: 5 }),
      frame(5, { type: 'task.finished', outcome }),
    ]);
    expect(live.steps.get(TURN)?.retries).toHaveLength(1);
    expect(live.steps.get(tool)).toMatchObject({
      name: 'filesystem:write_file',
      isError: true,
      preview: 'EACCES',
      startedAt: 300,
      endedAt: 400,
    });
    expect(live.steps.get('task[1.1]')).toMatchObject({ outcome, startedAt: 100, endedAt: 500 });
  });

  test('what a call wrote that is made again is gone', () => {
    const live = applyFrames(EMPTY_LIVE, [
      { event: 'text', data: { runId: 'run_1', step: TURN, text: 'lost', snapshot: true } },
      frame(1, { type: 'model.retry', step: TURN, attempt: 1, code: 'MODEL_UNAVAILABLE', message: '529', delayMs: 10 }),
    ]);
    expect(live.steps.get(TURN)?.text).toBe('');
  });
});
