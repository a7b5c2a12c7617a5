import { spawn } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { CloutError } from '@cloutagent/contract';
import type { Context } from './context.ts';
import { CLOUT } from './program-path.ts';
import { locate, requireProject, waitForServer } from './with-server.ts';

/** Starts a server for this project that outlives the command, unless one runs already. */
export const startOwner = async (context: Context): Promise<void> => {
  const { findServer } = await import('@cloutagent/server');
  const { root, dataDir } = await locate(context);
  if ((await findServer(dataDir)) !== undefined) return;
  await requireProject(root);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const logFile = path.join(dataDir, 'server.log');
  const log = await open(logFile, 'a', 0o600);
  try {
    const [program, script] = CLOUT;
    const child = spawn(program, [script, '--cwd', root, 'up', '--port', '0', '--json'], {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      cwd: root,
    });
    child.on('error', () => {});
    child.unref();
  } finally {
    await log.close();
  }
  if ((await waitForServer(context, dataDir)) === undefined) {
    throw new CloutError('SERVER_UNREACHABLE', 'The server in the background did not start', {
      hint: `${logFile} says why`,
    });
  }
};
