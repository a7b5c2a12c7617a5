import { userInfo } from 'node:os';
import { createInterface } from 'node:readline';
import { ENVIRONMENT, type EnvironmentVariable } from '@cloutagent/contract';
import { systemClock } from '@cloutagent/kit';
import type { Io, Sink } from './io.ts';
import { main } from './main.ts';
import { mayColour } from './output.ts';

const DEFAULT_COLUMNS = 80;

const outputClosed = new AbortController();

const toSink = (stream: NodeJS.WriteStream, onClosed: () => void): Sink => {
  let closed = false;
  stream.on('error', () => {
    // The reader of a pipe (`clout … | head`) or the terminal has gone. The work goes on; what it says is dropped.
    closed = true;
    onClosed();
  });
  return {
    write: (text) => {
      if (!closed) stream.write(text);
    },
    isTTY: stream.isTTY,
    get columns() {
      return stream.columns > 0 ? stream.columns : DEFAULT_COLUMNS;
    },
  };
};

const environment: Partial<Record<EnvironmentVariable, string>> = {};
for (const name of Object.keys(ENVIRONMENT) as EnvironmentVariable[]) {
  // keys of a constant object
  const value = process.env[name];
  if (value !== undefined) environment[name] = value;
}

const nameOfUser = (): string => {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that has no name.
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
};

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const onInterrupt: Io['onInterrupt'] = (handler) => {
  let interrupted = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    // A terminal that closes says so more than once (shell and kernel), which must not cut the orderly end short.
    if (signal === 'SIGHUP') process.on('SIGHUP', () => {});
    if (interrupted && signal !== 'SIGHUP') process.exit(1);
    if (interrupted) return;
    interrupted = true;
    handler();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
};

const onOutputClosed: Io['onOutputClosed'] = (handler) => {
  const { signal } = outputClosed;
  if (signal.aborted) handler();
  signal.addEventListener('abort', handler);
  return () => signal.removeEventListener('abort', handler);
};

/** A terminal's own Ctrl-C would be swallowed by a line editor, so that lines are read without one. */
const readLines: Io['readLines'] = (prompt) => {
  const lines = createInterface({ input: process.stdin, terminal: false });
  const ask = (): void => {
    if (process.stdin.isTTY) process.stdout.write(prompt);
  };
  return {
    close: () => lines.close(),
    async *[Symbol.asyncIterator]() {
      ask();
      for await (const line of lines) {
        yield line;
        ask();
      }
    },
  };
};

const code = await main(process.argv.slice(2), {
  stdout: toSink(process.stdout, () => outputClosed.abort()),
  stderr: toSink(process.stderr, () => {}),
  cwd: process.cwd(),
  environment,
  colour: mayColour(process.stdout.isTTY, environment),
  user: nameOfUser(),
  clock: systemClock,
  onInterrupt,
  onOutputClosed,
  readLines,
  onStdinEnd: (handler) => {
    for (const event of ['end', 'close', 'error']) process.stdin.once(event, handler);
    process.stdin.resume();
  },
});
// A pipe takes its last bytes in its own time; only then may the process end, whatever is still open. A closed one calls back too.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
