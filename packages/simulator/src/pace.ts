import type { StreamWriter } from '@cloutagent/http';
import type { Clock } from '@cloutagent/kit';
import type { Reply } from './message.ts';
import { toErrorAnswer, typeOfStatus } from './refusal.ts';
import type { Delays, Fault } from './scenario.ts';
import { PING, streamEvents, type StreamEvent } from './stream.ts';

/** The real API sends a ping now and then while the model is silent. */
const PING_MS = 10_000;
/** How long a client has to read what was sent before its connection is dropped. */
const READ_MS = 50;

export interface Pace {
  readonly delays: Delays;
  readonly clock: Clock;
  readonly requestId: string;
  readonly fault?: Fault;
}

/** Sends an answer event by event at the scenario's pace, and breaks it where the fault says. Ends when the client goes. */
export const sendStream = async (reply: Reply, writer: StreamWriter, pace: Pace): Promise<void> => {
  try {
    await send(reply, writer, pace);
  } catch (error) {
    // A client that left is the one thing that ends a stream early without a fault.
    if (!writer.signal.aborted) throw error;
  }
};

const send = async (reply: Reply, writer: StreamWriter, { delays, clock, requestId, fault }: Pace): Promise<void> => {
  const breakAfter = fault === undefined ? Number.POSITIVE_INFINITY : (fault.afterDeltas ?? 1);
  let sent = 0;
  for (const event of streamEvents(reply)) {
    const isEnd = event.name === 'message_delta';
    if (event.tokens !== undefined) {
      if (sent < breakAfter) await waitWithPings(event.tokens * delays.perTokenMs, writer, clock);
      sent += 1;
    }
    // A fault that asks for more deltas than there are comes before the end all the same.
    if (fault !== undefined && (sent > breakAfter || isEnd)) return breakStream(fault, writer, { clock, requestId });
    await write(event, writer);
    if (event.name === 'message_start') await waitWithPings(delays.firstTokenMs, writer, clock);
  }
};

const write = (event: StreamEvent, writer: StreamWriter): Promise<void> =>
  writer.sse({ event: event.name, data: JSON.stringify(event.data) });

const waitWithPings = async (ms: number, writer: StreamWriter, clock: Clock): Promise<void> => {
  for (let left = ms; left > 0; left -= PING_MS) {
    await clock.sleep(Math.min(left, PING_MS), writer.signal);
    if (left > PING_MS) await write(PING, writer);
  }
};

const breakStream = async (
  fault: Fault,
  writer: StreamWriter,
  { clock, requestId }: Pick<Pace, 'clock' | 'requestId'>,
): Promise<void> => {
  if (fault.fault === 'drop') {
    // A reset takes with it what the other side has not read yet.
    await clock.sleep(READ_MS, writer.signal);
    writer.destroy();
  }
  if (fault.fault === 'stall') await untilGone(writer.signal);
  if (fault.fault !== 'midstream-error') return;
  const { status = 529, message = 'Overloaded (simulated)' } = fault.error ?? {};
  const body = toErrorAnswer(fault.error?.type ?? typeOfStatus(status), message, requestId);
  await write({ name: 'error', data: { ...body } }, writer);
};

/** Resolves when the client leaves or the server stops. */
export const untilGone = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
