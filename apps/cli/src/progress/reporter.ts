import { showUsd, type Run, type RunFrame } from '@cloutagent/contract';
import type { Context } from '../context.ts';
import { oneLine } from '../output.ts';
import { lineOf } from './line.ts';
import { createScreen } from './screen.ts';
import { nextProgress, progressOf, type Progress } from './state.ts';
import { createStreamedText } from './streamed-text.ts';
import { createWait, watchWait } from './wait.ts';

/** Shows a run while it is followed. */
export interface Reporter {
  frame(frame: RunFrame): void;
  close(): void;
}

/**
 * JSON lines with --json, a status line and streamed text on a terminal, plain lines elsewhere. `fromStart`: the whole
 * history follows, so that figures begin at nothing.
 */
export const createReporter = (context: Context, run: Run, fromStart: boolean): Reporter => {
  const { output } = context;
  output.event({ type: 'run', run });
  output.line(
    `${output.style.bold(run.id)} ${oneLine(run.slug)}: ${oneLine(run.title)}${run.simulated ? output.style.yellow(' (simulated)') : ''}`,
  );
  if (output.json) {
    return {
      frame: (frame) =>
        output.event(frame.event === 'run' ? { type: 'event', event: frame.data } : { type: 'text', text: frame.data }),
      close: () => {},
    };
  }
  return output.live ? liveReporter(context, run, fromStart) : lineReporter(context);
};

const lineReporter = ({ io, output }: Context): Reporter => {
  const wait = createWait(io.clock);
  const over = new AbortController();
  void watchWait(wait, io.clock, over.signal, (text) => output.line(output.style.dim(`  ${text}`)));
  return {
    frame: (frame) => {
      wait.frame(frame);
      if (frame.event !== 'run') return;
      const line = lineOf(frame.data, output.style);
      if (line !== undefined) output.line(line);
    },
    close: () => over.abort(),
  };
};

const liveReporter = ({ io, output }: Context, run: Run, fromStart: boolean): Reporter => {
  const { style } = output;
  const text = createStreamedText();
  const start = io.clock.monotonic();
  const wait = createWait(io.clock);
  let progress = progressOf(run, fromStart);
  const status = (spinner: string): readonly string[] => {
    const partial = text.partial();
    const seconds = Math.floor((io.clock.monotonic() - start) / 1000);
    const lines = statusOf({ ...progress, doing: wait.quiet()?.text ?? progress.doing }, run.simulated);
    return [
      ...(partial === '' ? [] : [`  ${oneLine(partial)}`]),
      `${spinner} ${lines.what}`,
      `  ${lines.figures} · ${seconds} s`,
    ];
  };
  const screen = createScreen(io.stdout, io.clock, status, (line) => style.dim(line));
  const printText = (lines: readonly string[]): void => {
    if (lines.length > 0) screen.print(lines.map((line) => style.dim(`  ${line}`)).join('\n'));
  };
  return {
    frame: (frame) => {
      wait.frame(frame);
      if (frame.event === 'text') {
        printText(text.push(frame.data));
        return;
      }
      progress = nextProgress(progress, frame.data);
      const { body } = frame.data;
      if (body.type === 'model.finished' && text.has(body.step)) {
        printText(text.flush());
        return; // its text has streamed already
      }
      if (body.type === 'model.retry' && text.drop(body.step)) {
        printText(text.flush());
        screen.print(style.dim('  What was written of the answer is dropped.'));
      }
      const line = lineOf(frame.data, style);
      if (line !== undefined) screen.print(line);
    },
    close: () => {
      printText(text.flush());
      screen.close();
    },
  };
};

/** What is being done, and what it costs: two lines, which fit a terminal of 80 columns. */
export const statusOf = (
  progress: Progress,
  simulated: boolean,
): { readonly what: string; readonly figures: string } => {
  const { task, doing, tokens, spent, held, limit } = progress;
  const parts = [task === null ? '' : oneLine(`${task.id} ${task.title}`, 42), oneLine(doing, 32)].filter(
    (part) => part !== '',
  );
  const figures = [
    `${tokens.toLocaleString('en')} tokens`,
    `${showUsd(spent)} spent`,
    `${showUsd(held)} reserved`,
    ...(limit === null ? [] : [`limit ${showUsd(limit)}`]),
    ...(simulated ? ['simulated'] : []),
  ];
  return { what: parts.join(' · ') || 'starting', figures: figures.join(' · ') };
};
