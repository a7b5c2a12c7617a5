import path from 'node:path';
import type { ProfileName } from '@cloutagent/simulator';
import { Option } from 'commander';
import type { Context, Register } from '../context.ts';
import { given, wholeNumber } from '../option.ts';

interface SimulateOptions {
  readonly port: number;
  readonly host: string;
  readonly profile: ProfileName;
  readonly scenario?: string;
  readonly log?: string;
  readonly firstTokenMs?: number;
  readonly perTokenMs?: number;
  readonly tokensPerSecond?: number;
  readonly exitWithStdin?: true;
}

/** Written out, because the package is loaded only when it is needed; the page of the command says which there are. */
const PROFILES: readonly ProfileName[] = [
  'anthropic',
  'ollama',
  'lmstudio',
  'llama.cpp',
  'vllm',
  'litellm',
  'openrouter',
];

const MAX_DELAY_MS = 600_000;

export const registerSimulate: Register = (program, context) => {
  program
    .command('simulate')
    .description('serve a simulated Messages API: for trying and testing without a key; its answers mean nothing')
    .option('--port <n>', '0 = any free one', wholeNumber(0, 65_535), 0)
    .option('--host <address>', 'address to bind', '127.0.0.1')
    .addOption(
      new Option('--profile <server>', 'whose keys and whose subset of the API are enforced')
        .choices(PROFILES)
        .default('anthropic'),
    )
    .option('--scenario <file>', 'what it answers, instead of the scenario that does file tasks')
    .option('--log <file>', 'log every request, one JSON object a line, before it is answered')
    .option('--first-token-ms <n>', 'wait before the first token', wholeNumber(0, MAX_DELAY_MS))
    .option('--per-token-ms <n>', 'wait for each token', wholeNumber(0, MAX_DELAY_MS))
    .option('--tokens-per-second <n>', 'the same as a pace', wholeNumber(1, 1000))
    .option('--exit-with-stdin', 'end when stdin does, so that it ends with whoever started it')
    .action(context.action(async (options: SimulateOptions) => simulate(context, options)));
};

const simulate = async (context: Context, options: SimulateOptions): Promise<number> => {
  const { runSimulator } = await import('@cloutagent/simulator');
  const { io } = context;
  const ended = new Promise<void>((resolve) => {
    io.onInterrupt(resolve);
    if (options.exitWithStdin === true) io.onStdinEnd(resolve);
  });
  const base = path.resolve(io.cwd, context.cwd() ?? '.');
  const simulator = await runSimulator({
    port: options.port,
    profile: options.profile,
    host: options.host,
    clock: io.clock,
    ...given({
      scenarioFile: options.scenario === undefined ? undefined : path.resolve(base, options.scenario),
      logFile: options.log === undefined ? undefined : path.resolve(base, options.log),
      firstTokenMs: options.firstTokenMs,
      perTokenMs:
        options.tokensPerSecond === undefined ? options.perTokenMs : Math.round(1000 / options.tokensPerSecond),
    }),
  });
  context.output.note('This is a simulator: no model is asked, and its answers mean nothing.');
  // A program waits for this line, so it has one form with and without --json.
  io.stdout.write(`${JSON.stringify({ url: simulator.url, pid: process.pid })}\n`);
  await ended;
  await simulator.close();
  return 0;
};
