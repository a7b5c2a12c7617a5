import { access } from 'node:fs/promises';
import path from 'node:path';
import { createClient, type Client } from '@cloutagent/client';
import { CloutError, codeOf } from '@cloutagent/contract';
import type { Context } from './context.ts';
import { CLOUT } from './program-path.ts';

/** A server to talk to. */
export interface Session {
  readonly client: Client;
  readonly url: string;
  /** The server runs in this process and ends with the command. */
  readonly own: boolean;
}

/** Another process that takes the data folder needs a moment until it answers. */
const STARTING_MS = 10_000;
const POLL_MS = 100;

/** Root and data folder of the project. */
export const locate = async (context: Context): Promise<{ readonly root: string; readonly dataDir: string }> => {
  const { resolveDataDir, resolveRoot } = await import('@cloutagent/server');
  const root = resolveRoot(context.io.cwd, context.io.environment, context.cwd());
  return { root, dataDir: resolveDataDir(root, context.io.environment) };
};

/**
 * Speaks to the process that owns the data folder, over HTTP. Where there is none, this process becomes the owner for
 * as long as `use` takes. Errors: PROJECT_NOT_FOUND, and those of the server.
 */
export const withServer = async <T>(context: Context, use: (session: Session) => Promise<T>): Promise<T> => {
  const { createLog, findServer, startServer } = await import('@cloutagent/server');
  const { root, dataDir } = await locate(context);
  const found = await findServer(dataDir);
  if (found !== undefined) return use(toSession(found, false));

  await requireProject(root);
  const { environment } = context.io;
  try {
    const server = await startServer({
      root,
      port: 0,
      host: '127.0.0.1',
      environment,
      user: context.io.user,
      // The command's own output says what happens; the log is for what goes wrong.
      log: createLog(environment.LOG_LEVEL ?? 'error', environment.DEBUG),
      borrowed: true,
      simulatorCommand: [...CLOUT, 'simulate'],
    });
    try {
      return await use(toSession(server, true));
    } finally {
      await server.close();
    }
  } catch (error) {
    if (codeOf(error) !== 'DATA_FOLDER_IN_USE') throw error;
    const started = await waitForServer(context, dataDir);
    if (started === undefined) throw error;
    return use(toSession(started, false));
  }
};

/** The server of a data folder, once it answers; undefined where none does within a few seconds. */
export const waitForServer = async (
  context: Context,
  dataDir: string,
): Promise<{ readonly url: string; readonly token: string } | undefined> => {
  const { findServer } = await import('@cloutagent/server');
  const { clock } = context.io;
  const until = clock.monotonic() + STARTING_MS;
  for (;;) {
    const found = await findServer(dataDir);
    if (found !== undefined || clock.monotonic() > until) return found;
    await clock.sleep(POLL_MS);
  }
};

/** A command that only asks must not leave a data folder in a place that is no project. */
export const requireProject = async (root: string): Promise<void> => {
  try {
    await access(path.join(root, 'openspec'));
  } catch (cause) {
    throw new CloutError('PROJECT_NOT_FOUND', `There is no openspec folder in ${root}`, {
      hint: 'Run this in a project, name one with --cwd DIR, or make one: clout init',
      cause,
    });
  }
};

const toSession = ({ url, token }: { readonly url: string; readonly token: string }, own: boolean): Session => ({
  client: createClient({ baseUrl: url, token }),
  url,
  own,
});
