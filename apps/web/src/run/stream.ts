import { createClient } from '@cloutagent/client';
import type { RunFrame } from '@cloutagent/contract';
import { systemClock } from '@cloutagent/kit';

/** `reconnecting`: what is shown may be old; nothing is lost, the stream goes on after the last event that was seen. */
export type Connection = 'connecting' | 'live' | 'reconnecting' | 'ended';

interface StreamOptions {
  /** Sequence number of the last event that the page has. */
  readonly after: () => number;
  readonly signal: AbortSignal;
  readonly onFrame: (frame: RunFrame) => void;
  readonly onConnection: (connection: Connection) => void;
}

/** The client gives up after about half a minute; a page that stays open tries again after this. */
const AGAIN_MS = 3_000;

/** Tells when the body has ended, however it ended. */
const watchEnd = (response: Response, onEnd: () => void): Response => {
  if (response.body === null) return response;
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      try {
        const { value, done } = await reader.read();
        if (!done) {
          controller.enqueue(value);
          return;
        }
        onEnd();
        controller.close();
      } catch (error) {
        onEnd();
        controller.error(error);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return new Response(body, { status: response.status, headers: response.headers });
};

/** Reads a run's events until the signal is aborted, and says how the connection is. */
export const streamRun = async (runId: string, options: StreamOptions): Promise<void> => {
  const { signal, onConnection } = options;
  const watched: typeof fetch = async (input, init) => {
    try {
      const response = await fetch(input, init);
      if (!response.ok) return response;
      onConnection('live');
      return watchEnd(response, () => {
        if (!signal.aborted) onConnection('reconnecting');
      });
    } catch (error) {
      if (!signal.aborted) onConnection('reconnecting');
      throw error;
    }
  };
  const client = createClient({ baseUrl: '', fetch: watched });
  onConnection('connecting');
  while (!signal.aborted) {
    try {
      for await (const frame of client.events(runId, { after: options.after(), signal })) options.onFrame(frame);
    } catch {
      // The page shows `reconnecting`; calls beside the stream show the error itself.
    }
    if (signal.aborted) return;
    onConnection('reconnecting');
    await systemClock.sleep(AGAIN_MS, signal).catch(() => undefined);
  }
};
