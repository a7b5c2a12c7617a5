import type { RunEvent, RunFrame } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { LiveTexts } from './live-text.ts';
import { followRun } from './run-stream.ts';

const RUN = 'run_1';

/** A run whose events and texts the test gives out, and readers of it. */
const openRun = () => {
  const events: RunEvent[] = [];
  const texts = new LiveTexts();
  const watchers = new Set<() => void>();
  let live = true;
  const tell = (): void => watchers.forEach((wake) => wake());
  const store = {
    events: async (_runId: string, after: number, limit: number) =>
      events.filter(({ seq }) => seq > after).slice(0, limit),
  };
  const owner = {
    isLive: () => live,
    liveTexts: (runId: string) => texts.of(runId),
    watch: (_runId: string, wake: () => void) => {
      watchers.add(wake);
      return () => watchers.delete(wake);
    },
  };
  return {
    watchers,
    event: (body: RunEvent['body']): void => {
      events.push({ seq: events.length + 1, runId: RUN, at: 0, body });
      tell();
    },
    text: (step: string, text: string, snapshot = false): void => {
      texts.add({ runId: RUN, step, text, snapshot });
      tell();
    },
    begin: (step: string, attempt: number): void => texts.begin(RUN, step, attempt),
    settle: (step: string): void => texts.forget(RUN, step),
    end: (): void => {
      live = false;
      tell();
    },
    /** Reads from `after` on; a frame is taken when `take` is done. */
    read: (after = 0, take: (frame: RunFrame) => Promise<void> = async () => undefined) => {
      const frames: RunFrame[] = [];
      const waiting = new Set<() => void>();
      const reader = new AbortController();
      const over = followRun({ store, owner }, RUN, after, reader.signal, async (frame) => {
        frames.push(frame);
        waiting.forEach((look) => look());
        await take(frame);
      });
      /** Resolves when it has so many frames. */
      const has = (count: number): Promise<void> =>
        new Promise((resolve) => {
          const look = (): void => {
            if (frames.length >= count) resolve();
          };
          waiting.add(look);
          look();
        });
      return { frames, over, has, leave: () => reader.abort() };
    },
  };
};

const retry = (attempt: number): RunEvent['body'] => ({
  type: 'model.retry',
  step: 'a',
  attempt,
  code: 'MODEL_UNAVAILABLE',
  message: 'again',
  delayMs: 1,
});
const DONE: RunEvent['body'] = { type: 'run.state', status: 'completed', reason: null };

/** Ids of the events, and what a page that follows the rules shows for a step. */
const seqs = (frames: readonly RunFrame[]) =>
  frames.flatMap((frame) => (frame.event === 'run' ? [frame.data.seq] : []));
const shown = (frames: readonly RunFrame[], step: string): string =>
  frames.reduce((text, frame) => {
    if (frame.event !== 'text' || frame.data.step !== step) return text;
    return frame.data.snapshot ? frame.data.text : text + frame.data.text;
  }, '');

describe('[E4.snapshot] a reader that joins late', () => {
  it('gets every stored event once, the text so far as one snapshot, and then goes on live', async () => {
    const run = openRun();
    for (let attempt = 1; attempt <= 450; attempt += 1) run.event(retry(attempt));
    for (const word of ['one ', 'two ', 'three ']) run.text('a', word);
    const late = run.read();
    await late.has(451);
    expect(late.frames.at(-1)).toEqual({
      event: 'text',
      data: { runId: RUN, step: 'a', text: 'one two three ', snapshot: true },
    });
    run.text('a', 'four ');
    await late.has(452);
    expect(late.frames.at(-1)).toMatchObject({ data: { text: 'four ', snapshot: false } });
    run.event(DONE);
    run.end();
    await late.over;
    expect(seqs(late.frames)).toEqual(Array.from({ length: 451 }, (_, index) => index + 1));
    expect(shown(late.frames, 'a')).toBe('one two three four ');
    expect(run.watchers.size).toBe(0);
  });

  it('gets what came after its last id, and nothing twice while events arrive as it reads', async () => {
    const run = openRun();
    for (let attempt = 1; attempt <= 5; attempt += 1) run.event(retry(attempt));
    let more = 3;
    const late = run.read(3, async () => {
      if (more > 0) run.event(retry(9));
      more -= 1;
    });
    await late.has(5);
    run.event(DONE);
    run.end();
    await late.over;
    expect(seqs(late.frames)).toEqual([4, 5, 6, 7, 8, 9]);
  });

  it('gets the first words of a call as a snapshot, though it was there before them', async () => {
    const run = openRun();
    const back = run.read();
    run.text('a', '');
    run.event(retry(1));
    await back.has(1);
    run.text('a', 'one ');
    await back.has(2);
    run.text('a', 'two');
    await back.has(3);
    expect(back.frames.slice(1).map(({ data }) => data)).toMatchObject([
      { text: 'one ', snapshot: true },
      { text: 'two', snapshot: false },
    ]);
    back.leave();
    await back.over;
  });

  it('never mixes the text of two attempts, however long the second one is already', async () => {
    const run = openRun();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    run.text('a', 'lost words');
    const slow = run.read(0, () => held);
    await slow.has(1);
    run.text('a', '', true);
    run.text('a', 'the second attempt, much longer');
    release();
    await slow.has(2);
    expect(shown(slow.frames, 'a')).toBe('the second attempt, much longer');
    run.text('a', '', true);
    await slow.has(3);
    expect(shown(slow.frames, 'a')).toBe('');
    slow.leave();
    await slow.over;
    expect(run.watchers.size).toBe(0);
  });

  it('reads the text of an attempt behind its beginning, and that behind the end of the one before', async () => {
    const run = openRun();
    const started = (attempt: number): void => {
      run.event({ type: 'model.started', step: 'a', model: 'm', attempt, reserved: { usd: '0', nanoUsd: 0 } });
      run.begin('a', attempt);
    };
    started(1);
    run.text('a', 'lost words');
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    // The reader is held up at what was stored first, while everything else happens.
    const slow = run.read(0, (frame) => (frame.event === 'run' && frame.data.seq === 1 ? held : Promise.resolve()));
    await slow.has(1);
    run.event(retry(1));
    run.settle('a');
    started(2);
    run.text('a', 'found words');
    release();
    await slow.has(4);
    expect(slow.frames.map((frame) => (frame.event === 'run' ? frame.data.body.type : frame.data.text))).toEqual([
      'model.started',
      'model.retry',
      'model.started',
      'found words',
    ]);
    slow.leave();
    await slow.over;
    // What is not stored yet for a reader is not told to it either.
    const early = openRun();
    early.begin('a', 1);
    early.text('a', 'words');
    const reader = early.read();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(reader.frames).toEqual([]);
    early.event({ type: 'model.started', step: 'a', model: 'm', attempt: 1, reserved: { usd: '0', nanoUsd: 0 } });
    await reader.has(2);
    expect(reader.frames.map(({ event }) => event)).toEqual(['run', 'text']);
    reader.leave();
    await reader.over;
  });

  it('holds nothing but the events that it has not taken: a text that is settled is in its event', async () => {
    const run = openRun();
    run.text('a', 'gone');
    run.settle('a');
    run.text('b', 'here');
    const late = run.read();
    await late.has(1);
    expect(late.frames).toEqual([{ event: 'text', data: { runId: RUN, step: 'b', text: 'here', snapshot: true } }]);
    late.leave();
    await late.over;
  });
});
