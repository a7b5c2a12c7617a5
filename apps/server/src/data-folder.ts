import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';

/** Where a running owner of the data folder can be reached. Only a hint: the lock decides who owns it. */
const ServerFile = z.object({ pid: z.int(), url: z.string(), startedAt: z.string(), version: z.string() });
export interface ServerFile extends z.infer<typeof ServerFile> {}

const GITIGNORE = '*\n!.gitignore\n!config.yaml\n';

const exists = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EEXIST';

/** Creates the folder with its .gitignore; what is there stays. */
export const prepareDataFolder = async (dataDir: string): Promise<void> => {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  try {
    await writeFile(path.join(dataDir, '.gitignore'), GITIGNORE, { flag: 'wx' });
  } catch (error) {
    if (!exists(error)) throw error;
  }
};

/** The administrator's token: made at the first start, 32 random bytes, readable by its owner only. */
export const adminToken = async (dataDir: string): Promise<string> => {
  const file = path.join(dataDir, 'token');
  try {
    await writeFile(file, `${randomBytes(32).toString('base64url')}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (!exists(error)) throw error;
    await chmod(file, 0o600);
  }
  return (await readFile(file, 'utf8')).trim();
};

const serverFile = (dataDir: string): string => path.join(dataDir, 'server.json');

export const writeServerFile = async (dataDir: string, content: ServerFile): Promise<void> => {
  const staged = `${serverFile(dataDir)}.${content.pid}`;
  await writeFile(staged, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  await rename(staged, serverFile(dataDir));
};

/** Removes the hint if it is still ours. */
export const removeServerFile = async (dataDir: string, pid: number): Promise<void> => {
  if ((await readServerFile(dataDir))?.pid === pid) await rm(serverFile(dataDir), { force: true });
};

export const readServerFile = async (dataDir: string): Promise<ServerFile | undefined> => {
  try {
    return ServerFile.parse(JSON.parse(await readFile(serverFile(dataDir), 'utf8')));
  } catch {
    return undefined;
  }
};

/** A server that answers for this data folder, with the token to call it; undefined where none does. */
export const findServer = async (
  dataDir: string,
): Promise<{ readonly url: string; readonly token: string } | undefined> => {
  const file = await readServerFile(dataDir);
  if (file === undefined) return undefined;
  const token = await adminToken(dataDir);
  try {
    const answer = await fetch(`${file.url}/api/meta`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(5_000),
    });
    if (!answer.ok) return undefined;
    const meta = z.object({ pid: z.int() }).safeParse(await answer.json());
    return meta.success && meta.data.pid === file.pid ? { url: file.url, token } : undefined;
  } catch {
    return undefined;
  }
};
