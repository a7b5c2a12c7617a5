import path from 'node:path';
import type * as openspecRoom from '@cloutagent/openspec';
import type { Project } from '@cloutagent/openspec';
import type { Context } from './context.ts';

type Openspec = typeof openspecRoom;

/** The changes on disk, without a server. The room is loaded where a command needs it, for it costs start-up time. */
export const openFiles = async (context: Context): Promise<{ openspec: Openspec; project: Project }> => {
  const openspec = await import('@cloutagent/openspec');
  // The openspec folder itself is accepted too (seed 002); the server, which knows more, would cost a second to load.
  const folder = path.resolve(context.io.cwd, context.cwd() ?? context.io.environment.WORKING_DIRECTORY ?? '.');
  const project = await openspec.openProject(folder, { clock: context.io.clock, caller: context.io.user });
  return { openspec, project };
};
