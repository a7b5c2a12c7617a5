import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '@cloutagent/contract';
import { changeIdentity, type Project } from '@cloutagent/openspec';

/** Which changes were planned here: a file for each, that says which change of that name it was. */
const fileOf = (dataDir: string, slug: string): string =>
  path.join(dataDir, 'planned', encodeURIComponent(slug).replaceAll('.', '%2e'));

/** A plan is an answer to a question: a data folder that cannot be written must not keep it from being given. */
export const notePlanned = async (dataDir: string, project: Project, slug: string): Promise<void> => {
  try {
    const identity = await changeIdentity(project, slug);
    if ((await readPlanned(dataDir, slug)) === identity) return;
    await mkdir(path.join(dataDir, 'planned'), { recursive: true });
    await writeFile(fileOf(dataDir, slug), identity);
  } catch {
    /* told by the next thing that must be written */
  }
};

export const isPlanned = async (dataDir: string, project: Project, slug: string): Promise<boolean> => {
  try {
    return (await readPlanned(dataDir, slug)) === (await changeIdentity(project, slug));
  } catch (error) {
    if (codeOf(error) !== undefined) return false;
    throw error;
  }
};

const readPlanned = async (dataDir: string, slug: string): Promise<string | undefined> =>
  readFile(fileOf(dataDir, slug), 'utf8').catch(() => undefined);
