import { setMaxListeners } from 'node:events';
import type { Clock } from '@cloutagent/kit';
import type { Emit } from './execute.ts';
import { TIMED_OUT } from './result.ts';

export interface Limits {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  close(): void;
}

/** Ends with the caller's signal or after so many milliseconds. */
export const openLimits = (clock: Clock, source: AbortSignal | undefined, timeoutMs: number | undefined): Limits => {
  const controller = new AbortController();
  // Every tool call that is under way listens; Node would take more than ten for a leak.
  setMaxListeners(0, controller.signal);
  const onAbort = (): void => controller.abort(source?.reason);
  if (source?.aborted === true) onAbort();
  else source?.addEventListener('abort', onAbort, { once: true });
  let timer: AbortController | undefined;
  if (timeoutMs !== undefined) {
    timer = new AbortController();
    clock.sleep(timeoutMs, timer.signal).then(
      () => controller.abort(TIMED_OUT),
      () => undefined,
    );
  }
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    close: () => {
      timer?.abort();
      source?.removeEventListener('abort', onAbort);
    },
  };
};

/** A reader that fails ends the execution: nobody reads what else it would pay for. */
export const guarded =
  (onChunk: Emit, limit: Limits): Emit =>
  async (chunk) => {
    try {
      await onChunk(chunk);
    } catch (error) {
      limit.abort(error);
    }
  };
