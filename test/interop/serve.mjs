import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from '../../bench/support/process.mjs';
import { ROOT } from '../../scripts/support/run.mjs';

export const BIN = `${ROOT}packages/task-mcp/bin/task-mcp.mjs`;
export const TOKEN = 'interop-token';

/** Task MCP over HTTP; `kill` ends it without a word, `start` begins it again on the same port. */
export const serveTaskMcp = async (cwd) => {
  const port = await freePort();
  let child;
  const start = async () => {
    child = spawn(process.execPath, [BIN, '--http'], {
      cwd,
      env: {
        ...process.env,
        PORT: String(port),
        AUTH_TOKENS: TOKEN,
        RATE_LIMIT: '6000',
        RATE_LIMIT_BURST: '6000',
        LOG_LEVEL: 'info',
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (chunk) => {
      log = (log + chunk).slice(-10_000);
    });
    const ended = once(child, 'close').then(() => Promise.reject(new Error(log)));
    ended.catch(() => undefined);
    while (!log.includes('listening')) await Promise.race([once(child.stderr, 'data'), ended]);
  };
  const end = async (signal) => {
    const gone = once(child, 'close');
    child.kill(signal);
    await gone;
  };
  await start();
  return {
    url: `http://127.0.0.1:${port}`,
    token: TOKEN,
    start,
    pid: () => child.pid,
    kill: () => end('SIGKILL'),
    stop: () => (child.exitCode === null && child.signalCode === null ? end('SIGTERM') : Promise.resolve()),
  };
};
