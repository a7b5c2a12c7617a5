import type { RunFrame, TextDelta } from '@cloutagent/contract';
import type { StreamWriter } from '@cloutagent/http';
import type { Store } from '@cloutagent/store';
import type { RunOwner } from './run-owner.ts';

/** Events that are read from the journal at a time. */
const BATCH = 200;

const ENDED = new Set(['completed', 'failed', 'cancelled']);

interface Sent {
  readonly attempt: number;
  readonly beginning: number;
  readonly length: number;
}

/** Where runs are read from. */
export interface RunSource {
  readonly store: Pick<Store, 'events'>;
  readonly owner: Pick<RunOwner, 'isLive' | 'liveTexts' | 'watch'>;
}

/**
 * Gives a run's events after `after`, then stays until the run has ended or the reader goes.
 *
 * The reader pulls: what it has not taken yet stays in the journal (events) or in the call's text (an offset), so a slow
 * reader costs no memory and a reconnect has neither gap nor duplicate.
 */
export const followRun = async (
  deps: RunSource,
  runId: string,
  after: number,
  signal: AbortSignal,
  emit: (frame: RunFrame) => Promise<void>,
): Promise<void> => {
  let seq = after;
  /** How much of each call's text the reader has; bounded by the calls that are under way. */
  let sent: ReadonlyMap<string, Sent> = new Map();
  /** Attempts that the reader knows to be under way. */
  const begun = new Map<string, number>();
  let ended = false;
  let news = true;
  let wake: () => void = () => undefined;
  const stopWatching = deps.owner.watch(runId, () => {
    news = true;
    wake();
  });
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort, { once: true });

  const sendText = async (): Promise<void> => {
    const next = new Map<string, Sent>();
    for (const live of deps.owner.liveTexts(runId)) {
      const { step, text, attempt, beginning } = live;
      // Its `model.started` is stored and has to come first, as does whatever ended the attempt before it. Who goes on
      // behind it, after `after`, has read it. It was told of before there was any text: it is the next news.
      if (attempt !== 0 && (begun.get(step) ?? (after > 0 ? attempt : 0)) !== attempt) continue;
      const known = sent.get(step);
      const snapshot = known?.beginning !== beginning || known.attempt !== attempt;
      const rest = snapshot ? text : text.slice(known.length);
      // The first words on a connection are a snapshot: the reader may have others of an attempt that a crash cut off.
      if (rest === '' && known === undefined) continue;
      next.set(step, { attempt, beginning, length: text.length });
      // An attempt that has said nothing yet still takes back what the one before it said.
      if (rest === '' && !snapshot) continue;
      const delta: TextDelta = { runId, step, text: rest, snapshot };
      await emit({ event: 'text', data: delta });
    }
    sent = next;
  };

  const sendEvents = async (): Promise<void> => {
    for (;;) {
      const events = await deps.store.events(runId, seq, BATCH);
      for (const event of events) {
        await emit({ event: 'run', id: String(event.seq), data: event });
        seq = event.seq;
        const { body } = event;
        if (body.type === 'run.state') ended = ENDED.has(body.status);
        else if (body.type === 'model.started') begun.set(body.step, body.attempt);
        else if (body.type === 'model.finished') begun.delete(body.step);
      }
      // Fewer than were asked for may be all that fits one answer.
      if (events.length === 0) return;
    }
  };

  try {
    while (!signal.aborted) {
      news = false;
      await sendEvents();
      if (ended && !deps.owner.isLive(runId)) return;
      await sendText();
      if (news) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (news || signal.aborted) resolve();
      });
    }
  } finally {
    stopWatching();
    signal.removeEventListener('abort', onAbort);
  }
};

/** Streams the frames of a run: events with their `seq` as id, text without one. */
export const streamRun = (deps: RunSource, runId: string, after: number, writer: StreamWriter): Promise<void> =>
  followRun(deps, runId, after, writer.signal, async (frame) => {
    const data = JSON.stringify(frame.data);
    await writer.sse(frame.event === 'run' ? { event: 'run', id: frame.id, data } : { event: 'text', data });
  });
