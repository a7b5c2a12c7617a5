import type { Clock } from '@cloutagent/kit';
import type { Sink } from '../io.ts';
import { cut } from '../output.ts';

/** Often enough to look alive, seldom enough to cost nothing. */
const FRAME_MS = 120;
const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const CLEAR = '\r\u001b[2K';
const UP = '\u001b[1A';

export interface Screen {
  /** Writes lines that stay. */
  print(text: string): void;
  /** Removes the status and stops drawing. */
  close(): void;
}

/** Lines that stay, above a few that are drawn anew: `status` gives them without line breaks or colour, `paint` colours one. */
export const createScreen = (
  sink: Sink,
  clock: Clock,
  status: (spinner: string) => readonly string[],
  paint: (text: string, line: number) => string,
): Screen => {
  const over = new AbortController();
  let drawn = 0;
  let frame = 0;
  const clear = (): string => (drawn === 0 ? '' : CLEAR + `${UP}${CLEAR}`.repeat(drawn - 1));
  const draw = (): string => {
    // A line that wraps could not be cleared.
    const lines = status(SPINNER[frame % SPINNER.length] ?? '').map((text, i) => paint(cut(text, sink.columns - 1), i));
    drawn = lines.length;
    return lines.join('\n');
  };
  const tick = async (): Promise<void> => {
    while (!over.signal.aborted) {
      sink.write(clear() + draw());
      frame += 1;
      await clock.sleep(FRAME_MS, over.signal).catch(() => {});
    }
  };
  void tick();
  return {
    print: (text) => sink.write(`${clear()}${text}\n${draw()}`),
    close: () => {
      over.abort();
      sink.write(clear());
      drawn = 0;
    },
  };
};
