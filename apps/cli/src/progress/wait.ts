import type { RunFrame } from '@cloutagent/contract';
import type { Clock } from '@cloutagent/kit';

/** A model that works says something sooner; who looks at the screen wonders by then. */
const QUIET_SECONDS = 10;

/** Notices that a model call says nothing. */
export interface Wait {
  frame(frame: RunFrame): void;
  /** `waiting for the model (12 s)`, and whole seconds; undefined while something happens. */
  quiet(): { readonly text: string; readonly seconds: number } | undefined;
}

export const createWait = (clock: Clock): Wait => {
  /** When the call that is open last said something. */
  let since: number | undefined;
  return {
    frame: (frame) => {
      const type = frame.event === 'text' ? 'text' : frame.data.body.type;
      if (type === 'text' || type === 'model.started') since = clock.monotonic();
      // Money is told while the call is open.
      else if (type !== 'money') since = undefined;
    },
    quiet: () => {
      if (since === undefined) return undefined;
      const seconds = Math.floor((clock.monotonic() - since) / 1000);
      return seconds < QUIET_SECONDS ? undefined : { text: `waiting for the model (${seconds} s)`, seconds };
    },
  };
};

/** Calls back with the text when a wait begins and each time it has doubled: a log needs no line a second. */
export const watchWait = async (
  wait: Wait,
  clock: Clock,
  signal: AbortSignal,
  tell: (text: string) => void,
): Promise<void> => {
  let next = 0;
  while (!signal.aborted) {
    const quiet = wait.quiet();
    if (quiet === undefined) next = 0;
    else if (quiet.seconds >= next) {
      tell(quiet.text);
      next = quiet.seconds * 2;
    }
    await clock.sleep(1000, signal).catch(() => {});
  }
};
