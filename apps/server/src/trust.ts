import { mkdir, readFile, realpath, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CloutError } from '@cloutagent/contract';
import * as z from 'zod';
import type { Environment } from './config.ts';
import { onStorage } from './storage-error.ts';

/**
 * Folders whose configuration and checks may run commands. The list lives outside of any project, so that nothing that
 * comes with a repository can trust itself.
 */
const TrustFile = z.object({ format: z.literal(1), folders: z.array(z.string()) });

/** What the user of this machine decided about projects, outside of them. Throws VALIDATION_ERROR where there is no home. */
export const configFolder = (environment: Environment): string => {
  const base = environment.XDG_CONFIG_HOME || (environment.HOME ? path.join(environment.HOME, '.config') : undefined);
  if (base === undefined) {
    throw new CloutError(
      'VALIDATION_ERROR',
      'Neither XDG_CONFIG_HOME nor HOME is set, so what you trust cannot be remembered',
      {
        hint: 'Set HOME to your home folder',
      },
    );
  }
  return path.join(base, 'cloutagent');
};

const trustFile = (environment: Environment): string => path.join(configFolder(environment), 'trusted.json');

const realFolder = async (folder: string): Promise<string> => {
  try {
    return await realpath(folder);
  } catch (cause) {
    throw new CloutError('PROJECT_NOT_FOUND', `${folder} does not exist`, { cause });
  }
};

/** Trusted folders, as real paths. */
export const listTrusted = async (environment: Environment): Promise<readonly string[]> => {
  let text: string;
  try {
    text = await readFile(trustFile(environment), 'utf8');
  } catch {
    return [];
  }
  try {
    return TrustFile.parse(JSON.parse(text)).folders;
  } catch (cause) {
    throw new CloutError('VALIDATION_ERROR', `${trustFile(environment)} cannot be read`, {
      hint: 'Remove the file and trust the folders again',
      cause,
    });
  }
};

const save = async (folders: readonly string[], environment: Environment): Promise<void> => {
  const file = trustFile(environment);
  await onStorage(path.dirname(file), async () => {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    const staged = `${file}.${process.pid}`;
    await writeFile(staged, `${JSON.stringify({ format: 1, folders }, null, 2)}\n`, { mode: 0o600 });
    await rename(staged, file);
  });
};

/** Remembers that this folder may run commands; returns its real path. */
export const trust = async (folder: string, environment: Environment): Promise<string> => {
  const real = await realFolder(folder);
  const folders = await listTrusted(environment);
  if (!folders.includes(real)) await save([...folders, real], environment);
  return real;
};

/** Forgets a folder; returns whether it was trusted. */
export const untrust = async (folder: string, environment: Environment): Promise<boolean> => {
  const real = await realFolder(folder);
  const folders = await listTrusted(environment);
  if (!folders.includes(real)) return false;
  await save(
    folders.filter((item) => item !== real),
    environment,
  );
  return true;
};

/** Exactly this folder was trusted; a parent's trust does not reach into it. */
export const isTrusted = async (folder: string, environment: Environment): Promise<boolean> => {
  if (!environment.XDG_CONFIG_HOME && !environment.HOME) return false;
  return (await listTrusted(environment)).includes(await realFolder(folder));
};
