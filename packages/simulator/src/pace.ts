import type { StreamWriter } from '@cloutagent/http';
import { encodeSse } from '@cloutagent/kit';
import type { Reply } from './message.ts';
import type { Pace, Pacer } from './pacer.ts';
import { toErrorAnswer, typeOfStatus } from './refusal.ts';
import type { Delays, Fault } from './scenario.ts';
import { PING, streamEvents, type StreamEvent } from './stream.ts';

/** The real API sends a ping now and then while the model is silent. */
const PING_MS = 10_000;
/** How long a client has to read what was sent before its connection is dropped. */
const READ_MS = 50;
/** Events between which nothing is waited for leave in one write of at most about this many characters. */
const LONGEST_WRITE = 16 * 1024;

export interface SendOptions {
  readonly delays: Delays;
  readonly pacer: Pacer;
  readonly requestId: string;
  readonly fault?: Fault;
}

/** Sends an answer event by event at the scenario's pace, and breaks it where the fault says. Ends when the client goes. */
export const sendStream = async (reply: Reply, writer: StreamWriter, options: SendOptions): Promise<void> => {
  try {
    await send(reply, openPen(writer, options.pacer.open(writer.signal)), options);
  } catch (error) {
    // A client that left is the one thing that ends a stream early without a fault.
    if (!writer.signal.aborted) throw error;
  }
};

const send = async (reply: Reply, pen: Pen, { delays, requestId, fault }: SendOptions): Promise<void> => {
  const breakAfter = fault === undefined ? Number.POSITIVE_INFINITY : (fault.afterDeltas ?? 1);
  let sent = 0;
  for (const event of streamEvents(reply)) {
    const isEnd = event.name === 'message_delta';
    if (event.tokens !== undefined) {
      if (sent < breakAfter) await pen.wait(event.tokens * delays.perTokenMs);
      sent += 1;
    }
    // A fault that asks for more deltas than there are comes before the end all the same.
    if (fault !== undefined && (sent > breakAfter || isEnd)) return breakStream(fault, pen, requestId);
    await pen.write(event);
    if (event.name === 'message_start') await pen.wait(delays.firstTokenMs);
  }
  await pen.flush();
};

/** Collects events until something is waited for. */
interface Pen {
  readonly writer: StreamWriter;
  write(event: StreamEvent): Promise<void> | undefined;
  wait(ms: number): Promise<void> | undefined;
  flush(): Promise<void>;
}

const openPen = (writer: StreamWriter, pace: Pace): Pen => {
  let unsent = '';
  const add = ({ name, data }: StreamEvent): void => {
    unsent += encodeSse({ event: name, data: JSON.stringify(data) });
  };
  const flush = async (): Promise<void> => {
    const text = unsent;
    unsent = '';
    if (text !== '') await writer.frames(text);
  };
  const waitLong = async (ms: number): Promise<void> => {
    await flush();
    for (let left = ms; left > 0; left -= PING_MS) {
      await pace.wait(Math.min(left, PING_MS));
      if (left <= PING_MS) return;
      add(PING);
      await flush();
    }
  };
  return {
    writer,
    flush,
    write(event) {
      add(event);
      return unsent.length > LONGEST_WRITE ? flush() : undefined;
    },
    wait: (ms) => (ms > 0 ? waitLong(ms) : undefined),
  };
};

const breakStream = async (fault: Fault, pen: Pen, requestId: string): Promise<void> => {
  await pen.flush();
  if (fault.fault === 'drop') {
    // A reset takes with it what the other side has not read yet.
    await pen.wait(READ_MS);
    pen.writer.destroy();
  }
  if (fault.fault === 'broken-json') {
    await pen.writer.frames(
      'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"ty\n\n',
    );
  }
  if (fault.fault === 'stall') await untilGone(pen.writer.signal);
  if (fault.fault !== 'midstream-error') return;
  const { status = 529, message = 'Overloaded (simulated)' } = fault.error ?? {};
  const body = toErrorAnswer(fault.error?.type ?? typeOfStatus(status), message, requestId, fault.error?.errorCode);
  await pen.write({ name: 'error', data: { ...body } });
  await pen.flush();
};

/** Resolves when the client leaves or the server stops. */
export const untilGone = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
