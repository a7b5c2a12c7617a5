import { access } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import type { Context, Register } from '../context.ts';
import { given, wholeNumber } from '../option.ts';
import { CLOUT, WEB_ASSETS } from '../program-path.ts';
import { locate } from '../with-server.ts';

interface UpOptions {
  readonly port?: number;
  readonly host?: string;
  readonly open?: true;
}

export const registerUp: Register = (program, context) => {
  program
    .command('up')
    .description('serve UI, API and Task MCP on one port, until Ctrl-C')
    .option('--port <n>', 'instead of PORT or 8443; 0 = any free one', wholeNumber(0, 65_535))
    .option('--host <address>', 'instead of HOST or 127.0.0.1')
    .option('--open', 'open the page in a browser')
    .action(context.action(async (options: UpOptions) => up(context, options)));
};

const up = async (context: Context, options: UpOptions): Promise<number> => {
  const { bindAddress, createLog, startServer } = await import('@cloutagent/server');
  const { io, output } = context;
  const { root } = await locate(context);
  const level = io.environment.LOG_LEVEL;
  const log = createLog(level, io.environment.DEBUG);
  let started = false;
  const server = await startServer({
    root,
    ...bindAddress(io.environment, given({ port: options.port, host: options.host })),
    environment: io.environment,
    user: io.user,
    // What goes wrong before that is thrown too, and shown once, to a person.
    log: (...entry) => {
      if (started || entry[0] !== 'error' || level === 'debug') log(...entry);
    },
    simulatorCommand: [...CLOUT, 'simulate'],
    resumeInterrupted: true,
    ...((await exists(WEB_ASSETS)) ? { assets: WEB_ASSETS } : {}),
  });
  started = true;
  const apiUrl = io.environment.ANTHROPIC_API_URL;
  output.result({ url: server.url, pid: process.pid, root, keySet: server.keySet }, () =>
    [
      `${output.style.bold(server.url)}  ${output.style.dim(root)}`,
      ...(server.keySet
        ? [`A key is set; runs are billed, within their budgets${apiUrl ? `, by ${apiUrl}` : ''}.`]
        : [
            output.style.yellow('No key is set, so nothing can be billed. Two ways on:'),
            '  set ANTHROPIC_API_KEY, or',
            '  point ANTHROPIC_API_URL at a local server that speaks the Messages API.',
            'Without either, try a run on the simulator: clout run SLUG --simulate',
          ]),
      output.style.dim('Ctrl-C stops; runs go on at the next start.'),
    ].join('\n'),
  );
  const stopped = new Promise<void>((resolve) => {
    io.onInterrupt(resolve);
  });
  if (options.open === true) openBrowser(server.url);
  await stopped;
  output.note('Stopping: requests finish, runs stay resumable. Once more Ctrl-C stops at once.');
  await server.close();
  return 0;
};

const exists = async (folder: string): Promise<boolean> => {
  try {
    await access(folder);
    return true;
  } catch {
    return false;
  }
};

const openBrowser = (url: string): void => {
  const child = spawn(process.platform === 'darwin' ? 'open' : 'xdg-open', [url], { stdio: 'ignore', detached: true });
  // A machine without a browser is no reason to stop: the address is on the screen.
  child.on('error', () => {});
  child.unref();
};
