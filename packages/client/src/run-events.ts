import {
  CloutError,
  codeOf,
  errorSpec,
  type RunDetail,
  type RunEvent,
  type RunFrame,
  type TextDelta,
} from '@cloutagent/contract';
import { decodeSse, retryDelay, type Clock } from '@cloutagent/kit';
import { errorFromEnvelope, unreachable } from './request.ts';

export interface EventsOptions {
  /** Sequence number of the last event that the caller has; 0 = from the start. */
  readonly after?: number;
  /** Ends the iteration without an error. */
  readonly signal?: AbortSignal;
  /**
   * End when the run is neither running nor about to: completed, failed, cancelled, paused, interrupted, or waiting for a
   * person. One that waits for a time goes on by itself.
   */
  readonly untilSettled?: boolean;
}

export interface EventSource {
  readonly baseUrl: string;
  readonly clock: Clock;
  /** Value in [0, 1). */
  readonly random: () => number;
  connect(after: number, signal: AbortSignal): Promise<Response>;
  show(): Promise<RunDetail>;
}

/** A server that stays away for about half a minute is not coming back by itself. */
const RETRY = { attempts: 10, baseMs: 250, capMs: 5_000 };
/** Two missed heartbeats (they come every 25 s) and some room: the connection is dead, though nobody said so. */
const SILENCE_MS = 60_000;

/** Frames of a run without a gap or a repetition, over as many connections as it takes. */
export async function* runEvents(source: EventSource, options: EventsOptions): AsyncGenerator<RunFrame, void> {
  let last = options.after ?? 0;
  let failures = 0;
  /** Where the events end, once the run is known to stand still. */
  let end = Number.POSITIVE_INFINITY;
  const isOver = async (): Promise<boolean> => {
    const detail = await source.show();
    end = isMoving(detail) ? Number.POSITIVE_INFINITY : detail.lastSeq;
    return last >= end;
  };
  while (!isAborted(options.signal)) {
    const connection = new AbortController();
    const abort = (): void => connection.abort();
    options.signal?.addEventListener('abort', abort, { once: true });
    try {
      const response = await source.connect(last, connection.signal);
      // A run that settled while nobody listened sends no further event to learn it from.
      if (options.untilSettled === true && (await isOver())) return;
      for await (const frame of readFrames(response, source, connection)) {
        failures = 0;
        if (frame === 'heartbeat') {
          // A driver that broke off without an event leaves the run interrupted.
          if (options.untilSettled === true && (await isOver())) return;
          continue;
        }
        if (frame.event === 'run') {
          const { seq } = frame.data;
          if (seq <= last) continue;
          if (seq > last + 1) break; // lost on the way: fetch it again
          last = seq;
        }
        yield frame;
        // History may hold a pause that was followed by a resume, so the run itself is asked.
        if (options.untilSettled === true && (last >= end || isStandstill(frame)) && (await isOver())) return;
      }
    } catch (error) {
      if (isAborted(options.signal)) return;
      const code = codeOf(error);
      if (code === undefined || !errorSpec(code).retryable || failures + 1 >= RETRY.attempts) throw error;
    } finally {
      options.signal?.removeEventListener('abort', abort);
      connection.abort();
    }
    failures += 1;
    await source.clock.sleep(retryDelay(RETRY, failures, source.random()), options.signal).catch(() => {});
  }
}

/** It goes on without anybody doing anything. */
const isMoving = ({ run, waits }: RunDetail): boolean =>
  run.status === 'running' ||
  run.status === 'queued' ||
  run.status === 'cancelling' ||
  (run.status === 'waiting' && waits.every(({ topic }) => topic === null));

const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;

const isStandstill = (frame: RunFrame): boolean =>
  frame.event === 'run' && frame.data.body.type === 'run.state' && frame.data.body.status !== 'running';

async function* readFrames(
  response: Response,
  source: EventSource,
  connection: AbortController,
): AsyncGenerator<RunFrame | 'heartbeat'> {
  for await (const event of decodeSse(readText(response, source, connection))) {
    if (event.event === 'run') {
      const data = JSON.parse(event.data) as RunEvent; // written by the server from the same contract; unknown types pass through
      yield { event: 'run', id: event.id ?? String(data.seq), data };
    } else if (event.event === 'text') yield { event: 'text', data: JSON.parse(event.data) as TextDelta };
    else if (event.event === 'heartbeat') yield 'heartbeat';
    else if (event.event === 'error')
      throw (
        errorFromEnvelope(event.data) ?? new CloutError('UNKNOWN_ERROR', 'The server ended the stream with an error')
      );
    else if (event.event === 'shutdown') return;
  }
}

async function* readText(response: Response, source: EventSource, connection: AbortController): AsyncGenerator<string> {
  if (response.body === null) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const watch = watchSilence(source.clock, connection);
  try {
    while (true) {
      watch.listen();
      const { value, done } = await reader.read();
      watch.rest();
      if (done) return;
      yield value;
    }
  } catch (error) {
    throw unreachable(source.baseUrl, error);
  } finally {
    reader.releaseLock();
  }
}

/** Gives a connection up that is silent for too long while it is listened to; ends with the connection. */
const watchSilence = (clock: Clock, connection: AbortController) => {
  let since: number | undefined;
  const watch = async (): Promise<void> => {
    for (;;) {
      const now = clock.monotonic();
      const left = (since ?? now) + SILENCE_MS - now;
      if (left <= 0) break;
      await clock.sleep(left, connection.signal);
    }
    connection.abort();
  };
  void watch().catch(() => undefined);
  return {
    listen: (): void => {
      since = clock.monotonic();
    },
    rest: (): void => {
      since = undefined;
    },
  };
};
