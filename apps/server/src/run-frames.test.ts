import { NO_USAGE, toMoney, type RunEvent } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { createFramer } from './run-frames.ts';

const STEP = 'agent-1/try[0]/turn[0]';
const live = (text: string, snapshot = false) =>
  ({ event: 'text', data: { runId: 'run_1', step: STEP, text, snapshot } }) as const;
const finished = (text: string) => {
  const body: RunEvent['body'] = {
    type: 'model.finished',
    step: STEP,
    stopReason: 'end_turn',
    text,
    usage: NO_USAGE,
    cost: toMoney(0),
  };
  return { event: 'run', id: '1', data: { seq: 1, runId: 'run_1', at: 0, body } } as const;
};

describe('[E8.frames] the text of a node', () => {
  it.each([
    ['comes live', [live('It is ', true), live('42.'), finished('It is 42.')], ['It is ', '42.']],
    ['comes live in part', [live('It ', true), finished('It is 42.')], ['It ', 'is 42.']],
    ['is read when all is over', [finished('It is 42.')], ['It is 42.']],
    ['is none', [finished('')], []],
  ])('%s', (_how, frames, expected) => {
    const frame = createFramer('run_1');
    expect(frames.flatMap((one) => frame(one))).toEqual(
      expected.map((content) => ({ nodeId: 'agent-1', type: 'content', content })),
    );
  });

  it('is taken back where its attempt failed, as far as it was told', () => {
    const frame = createFramer('run_1');
    const body: RunEvent['body'] = {
      type: 'model.retry',
      step: STEP,
      attempt: 1,
      code: 'MODEL_UNAVAILABLE',
      message: 'It broke',
      delayMs: 500,
    };
    const again = { event: 'run', id: '1', data: { seq: 1, runId: 'run_1', at: 0, body } } as const;
    const lost = [live('Lost ', true), live('words'), again].flatMap((one) => frame(one));
    expect(lost.at(-1)).toEqual({
      nodeId: 'agent-1',
      type: 'retry',
      attempt: 2,
      delayMs: 500,
      code: 'MODEL_UNAVAILABLE',
      message: 'It broke',
      discarded: 10,
    });
    // Nothing more was told, so that nothing more is taken back; and all of the next attempt is told.
    expect(frame(again)).toMatchObject([{ discarded: 0 }]);
    expect(frame(finished('Lost words of another'))).toMatchObject([{ content: 'Lost words of another' }]);
  });
});
