import { userInfo } from 'node:os';
import { ENVIRONMENT, type EnvironmentVariable } from '@cloutagent/contract';
import { systemClock } from '@cloutagent/kit';
import type { Io, Sink } from './io.ts';
import { main } from './main.ts';

const DEFAULT_COLUMNS = 80;

const toSink = (stream: NodeJS.WriteStream): Sink => {
  stream.on('error', () => {
    // The reader of a pipe has gone (`clout … | head`): nobody wants the rest. Runs are durable, so nothing is lost.
    process.exit();
  });
  return {
    write: (text) => void stream.write(text),
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

const onInterrupt: Io['onInterrupt'] = (handler) => {
  let interrupted = false;
  const onSignal = (): void => {
    if (interrupted) process.exit(1);
    interrupted = true;
    handler();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return () => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  };
};

const code = await main(process.argv.slice(2), {
  stdout: toSink(process.stdout),
  stderr: toSink(process.stderr),
  cwd: process.cwd(),
  environment,
  colour: process.stdout.isTTY && !environment.NO_COLOR,
  user: nameOfUser(),
  clock: systemClock,
  onInterrupt,
  onStdinEnd: (handler) => {
    for (const event of ['end', 'close', 'error']) process.stdin.once(event, handler);
    process.stdin.resume();
  },
});
// A pipe takes its last bytes in its own time; only then may the process end, whatever is still open.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
