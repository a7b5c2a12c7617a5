import { access } from 'node:fs/promises';
import path from 'node:path';
import { CloutError } from '@cloutagent/contract';
import type { Context } from './context.ts';
import { openSession, type Session } from './session.ts';

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
 * Speaks to the process that owns the data folder, over HTTP. Where there is none, this process becomes the owner until
 * `use` is done and no run of another command is live any more. Errors: PROJECT_NOT_FOUND, and those of the server.
 */
export const withServer = async <T>(context: Context, use: (session: Session) => Promise<T>): Promise<T> => {
  const { findServer } = await import('@cloutagent/server');
  const place = await locate(context);
  if ((await findServer(place.dataDir)) === undefined) await requireProject(place.root);
  const session = await openSession(context, place);
  try {
    return await use(session);
  } finally {
    await session.close();
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
