import type { TextDelta } from '@cloutagent/contract';
import { plain } from '../output.ts';

/** A line that never ends is cut into pieces of this many characters, so that it cannot grow without bound. */
const MAX_PARTIAL = 2_000;

export interface StreamedText {
  /** Takes a piece and returns the lines that are complete now. */
  push(delta: TextDelta): readonly string[];
  /** The line that is not complete yet. */
  partial(): string;
  /** Has text of this model call been taken? */
  has(step: string): boolean;
  /** Ends the line that is not complete yet, and returns it. */
  flush(): readonly string[];
  /** The call is made again: what was taken of it no longer counts. Says whether that was anything. */
  drop(step: string): boolean;
}

/** Cuts text that streams into lines. A snapshot after a reconnect repeats what was shown, and only the rest is new. */
export const createStreamedText = (): StreamedText => {
  let step = '';
  let seen = '';
  let partial = '';
  const flush = (): readonly string[] => {
    const rest = partial;
    partial = '';
    return rest.trim() === '' ? [] : [rest];
  };
  return {
    push: (delta) => {
      const done = delta.step === step ? [] : flush();
      if (delta.step !== step) {
        step = delta.step;
        seen = '';
      }
      const news = delta.snapshot && delta.text.startsWith(seen) ? delta.text.slice(seen.length) : delta.text;
      seen = delta.snapshot ? delta.text : seen + delta.text;
      const lines = (partial + plain(news)).split('\n');
      partial = lines.pop() ?? '';
      while (partial.length > MAX_PARTIAL) {
        lines.push(partial.slice(0, MAX_PARTIAL));
        partial = partial.slice(MAX_PARTIAL);
      }
      return [...done, ...lines];
    },
    partial: () => partial,
    has: (key) => key === step,
    flush,
    drop: (key) => {
      if (key !== step || seen === '') return false;
      seen = '';
      return true;
    },
  };
};
