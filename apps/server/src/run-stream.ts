import type { RunEvent, TextDelta } from '@cloutagent/contract';
import type { StreamWriter } from '@cloutagent/http';
import type { Store } from '@cloutagent/store';
import type { RunOwner } from './run-owner.ts';

/** Events that are read from the journal at a time. */
const BATCH = 200;

const ENDED = new Set(['completed', 'failed', 'cancelled']);

/**
 * Sends a run's events after `after`, then stays until the run has ended or the reader goes.
 *
 * The reader pulls: what it has not taken yet stays in the journal (events) or in the call's text (an offset), so a slow
 * reader costs no memory and a reconnect has neither gap nor duplicate.
 */
export const streamRun = async (
  deps: { readonly store: Store; readonly owner: RunOwner },
  runId: string,
  after: number,
  writer: StreamWriter,
): Promise<void> => {
  let seq = after;
  let text = { step: '', length: 0 };
  let ended = false;
  let news = true;
  let wake: () => void = () => undefined;
  const stopWatching = deps.owner.watch(runId, () => {
    news = true;
    wake();
  });
  const onAbort = (): void => wake();
  writer.signal.addEventListener('abort', onAbort, { once: true });

  const sendText = async (): Promise<void> => {
    const live = deps.owner.liveText(runId);
    if (live === undefined) return;
    const snapshot = live.step !== text.step;
    const rest = snapshot ? live.text : live.text.slice(text.length);
    if (rest === '') return;
    text = { step: live.step, length: live.text.length };
    const delta: TextDelta = { runId, step: live.step, text: rest, snapshot };
    await writer.sse({ event: 'text', data: JSON.stringify(delta) });
  };

  const sendEvents = async (): Promise<void> => {
    for (;;) {
      const events: readonly RunEvent[] = await deps.store.events(runId, seq, BATCH);
      for (const event of events) {
        await writer.sse({ event: 'run', id: String(event.seq), data: JSON.stringify(event) });
        seq = event.seq;
        if (event.body.type === 'run.state') ended = ENDED.has(event.body.status);
      }
      if (events.length < BATCH) return;
    }
  };

  try {
    while (!writer.signal.aborted) {
      news = false;
      await sendEvents();
      if (ended && !deps.owner.isLive(runId)) return;
      await sendText();
      if (news) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (news || writer.signal.aborted) resolve();
      });
    }
  } finally {
    stopWatching();
    writer.signal.removeEventListener('abort', onAbort);
  }
};
