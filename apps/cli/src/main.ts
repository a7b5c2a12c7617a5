import { CloutError, PRODUCT_VERSION, codeOf, errorSpec, toErrorBody, type ErrorBody } from '@cloutagent/contract';
import { Command, CommanderError } from 'commander';
import { registerAgent } from './command/agent.ts';
import { registerBackup } from './command/backup.ts';
import { registerChat } from './command/chat.ts';
import { registerChange } from './command/change.ts';
import { registerCost } from './command/cost.ts';
import { registerDoctor } from './command/doctor.ts';
import { registerInit } from './command/init.ts';
import { registerMcp } from './command/mcp.ts';
import { registerPlan } from './command/plan.ts';
import { registerRun } from './command/run.ts';
import { registerRuns } from './command/runs.ts';
import { registerSimulate } from './command/simulate.ts';
import { registerTrust } from './command/trust.ts';
import { registerUp } from './command/up.ts';
import { registerWorkflow } from './command/workflow.ts';
import type { Context, Register } from './context.ts';
import type { Io } from './io.ts';
import { createOutput } from './output.ts';
import { refuseUnknown } from './planned.ts';

const COMMANDS: readonly Register[] = [
  registerUp,
  registerInit,
  registerTrust,
  registerChange,
  registerPlan,
  registerRun,
  registerRuns,
  registerWorkflow,
  registerAgent,
  registerChat,
  registerMcp,
  registerSimulate,
  registerCost,
  registerDoctor,
  registerBackup,
];

const EXIT_CODES = `
Exit codes: 0 done, 1 failed, 2 wrong usage or input, 3 not found, 4 conflict, 5 not allowed,
6 paused and waiting for a decision, 7 temporarily impossible.`;

/** Runs one command line (without program and script) and returns its exit code; it never throws. */
export const main = async (argv: readonly string[], io: Io): Promise<number> => {
  const output = createOutput(io, wantsJson(argv));
  let exit = 0;
  const program = new Command('clout');
  const context: Context = {
    io,
    output,
    cwd: () => program.opts<{ cwd?: string }>().cwd,
    action:
      (run) =>
      async (...args) => {
        exit = (await run(...args)) ?? 0;
      },
  };
  program
    .description('A spec change becomes finished, checked work, at a price known before and proved after.')
    .option('--cwd <dir>', 'project root instead of the current folder')
    .option('--json', 'answer with JSON: one document, or a line for each event of long work')
    .version(PRODUCT_VERSION, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand(false)
    .addHelpText('after', EXIT_CODES);
  for (const register of COMMANDS) register(program, context);
  for (const command of [program, ...everyCommand(program)]) prepare(command, io);

  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const body = toBody(error, io);
    output.fail(body);
    return errorSpec(body.code).exit;
  }
};

/** Before the command line is read, because a mistake in it is answered in JSON too. */
const wantsJson = (argv: readonly string[]): boolean => {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json');
};

const everyCommand = (program: Command): Command[] =>
  program.commands.flatMap((command) => [command, ...everyCommand(command)]);

const prepare = (command: Command, io: Io): void => {
  command.exitOverride();
  command.configureOutput({
    writeOut: (text) => io.stdout.write(text),
    // Errors are shown once, by us, in the form that was asked for.
    writeErr: () => {},
    outputError: () => {},
    getOutHelpWidth: () => io.stdout.columns,
  });
  if (command.commands.length > 0) refuseUnknown(command);
};

const toBody = (error: unknown, io: Io): ErrorBody => {
  if (error instanceof CommanderError) return toErrorBody(usageError(error));
  if (codeOf(error) !== undefined) return forCommandLine(toErrorBody(error));
  // Nobody else looks over this shoulder: what the system said may be shown.
  const text =
    error instanceof Error
      ? io.environment.LOG_LEVEL === 'debug'
        ? (error.stack ?? error.message)
        : error.message
      : String(error);
  return {
    ...toErrorBody(error),
    message: text,
    hint: 'This was not foreseen; LOG_LEVEL=debug shows where it came from',
  };
};

/** The server speaks of fields and of what it knows; a person at a terminal needs options and addresses. */
const forCommandLine = (body: ErrorBody): ErrorBody => {
  if (body.code === 'DATA_FOLDER_IN_USE') {
    const { url, pid } = body.details ?? {};
    const known = typeof url === 'string' && typeof pid === 'number';
    return {
      ...body,
      message: known ? `${body.message}: process ${pid} at ${url}` : body.message,
      hint: known
        ? `Open ${url} or let commands use it, which they do by themselves; kill ${pid} ends it`
        : 'It is starting or stopping; try again in a moment',
    };
  }
  return {
    ...body,
    hint: body.hint.replaceAll('allowIncomplete', '--allow-incomplete').replaceAll('pageToken', '--page-token'),
  };
};

const usageError = (error: CommanderError): CloutError => {
  if (error.code === 'commander.help')
    return new CloutError('INVALID_INPUT', 'A command is missing', { hint: 'clout --help lists the commands' });
  return new CloutError('INVALID_INPUT', error.message.replace(/^error: /u, ''), {
    hint: 'clout --help, or --help after a command, shows what it takes',
  });
};
