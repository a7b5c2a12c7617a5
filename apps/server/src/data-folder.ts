import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { CloutError } from '@cloutagent/contract';
import { isLoopback } from '@cloutagent/http';
import * as z from 'zod';
import { onStorage } from './storage-error.ts';

/** Where a running owner of the data folder can be reached. Only a hint: the lock decides who owns it. */
const ServerFile = z.object({ pid: z.int(), url: z.string(), startedAt: z.string(), version: z.string() });
export interface ServerFile extends z.infer<typeof ServerFile> {}

const Proof = z.object({ proof: z.string().max(100) });

const GITIGNORE = '*\n!.gitignore\n!config.yaml\n';

const exists = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EEXIST';

/** Creates the folder with its .gitignore; what is there stays. Errors: STORAGE_READONLY, STORAGE_FULL. */
export const prepareDataFolder = (dataDir: string): Promise<void> =>
  onStorage(dataDir, async () => {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    try {
      await writeFile(path.join(dataDir, '.gitignore'), GITIGNORE, { flag: 'wx' });
    } catch (error) {
      if (!exists(error)) throw error;
    }
  });

const tokenFile = (dataDir: string): string => path.join(dataDir, 'token');

const readToken = async (dataDir: string): Promise<string | undefined> => {
  try {
    return (await readFile(tokenFile(dataDir), 'utf8')).trim() || undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
};

/**
 * The administrator's token: made at the first start, 32 random bytes, readable by its owner only. Called by the owner of
 * the data folder. Errors: STORAGE_READONLY, STORAGE_FULL.
 */
export const adminToken = (dataDir: string): Promise<string> =>
  onStorage(dataDir, async () => {
    const known = await readToken(dataDir);
    if (known !== undefined) {
      await chmod(tokenFile(dataDir), 0o600);
      return known;
    }
    // Whole or not there: a file that a crash left empty would lock everybody out.
    const staged = `${tokenFile(dataDir)}.${process.pid}`;
    const token = randomBytes(32).toString('base64url');
    await rm(staged, { force: true });
    await writeFile(staged, `${token}\n`, { flag: 'wx', mode: 0o600, flush: true });
    await rename(staged, tokenFile(dataDir));
    return token;
  });

const serverFile = (dataDir: string): string => path.join(dataDir, 'server.json');

export const writeServerFile = (dataDir: string, content: ServerFile): Promise<void> =>
  onStorage(dataDir, async () => {
    const staged = `${serverFile(dataDir)}.${content.pid}`;
    await writeFile(staged, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
    await rename(staged, serverFile(dataDir));
  });

const identityOf = async (file: string): Promise<string | undefined> => {
  try {
    const { dev, ino } = await stat(file, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
};

/**
 * Remembers the folder that is locked; the function it gives throws STORAGE_FAILED once that is gone, for what is written
 * to files without a name is lost. It never opens the lock: closing a second handle of it would let the lock go.
 */
export const watchDataFolder = async (dataDir: string): Promise<() => Promise<void>> => {
  const file = path.join(dataDir, 'lock.db');
  const before = await identityOf(file);
  return async () => {
    if ((await identityOf(file)) === before) return;
    throw new CloutError('STORAGE_FAILED', 'The data folder was removed under the running server', {
      hint: 'Stop the server and start it again; it makes a new data folder',
    });
  };
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

/** Where a server proves to any caller that it knows the data folder's token. */
export const PROOF_PATH = '/api/proof';

/** What a caller may send as a challenge; what is longer or other is not answered. */
export const CHALLENGE = /^[\w-]{16,100}$/u;

/**
 * Proof of knowing the token that does not tell it. It holds for the one address that the server listens on, so that
 * nobody can pass on a challenge and give the answer out as its own.
 */
export const proofOf = (token: string, url: string, challenge: string): string =>
  createHmac('sha256', token).update(`cloutagent proof ${url} ${challenge}`).digest('base64url');

const isProof = (given: string, expected: string): boolean =>
  given.length === expected.length && timingSafeEqual(Buffer.from(given), Buffer.from(expected));

/** The file may be stale or come with a repository: its address counts only where it is this machine's own. */
const isOwnAddress = async (text: string): Promise<boolean> => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.protocol !== 'http:' || url.origin !== text) return false;
  const { address } = await lookup(url.hostname.replaceAll(/[[\]]/gu, ''));
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return isLoopback(address) || ['0.0.0.0', '::'].includes(address) || own.some((one) => one.address === address);
};

/**
 * A server that answers for this data folder, with the token to call it; undefined where none does. The token is not
 * sent before the server has proved that it knows it, for another program may listen on a stale address.
 */
export const findServer = async (
  dataDir: string,
): Promise<{ readonly url: string; readonly token: string } | undefined> => {
  const file = await readServerFile(dataDir);
  if (file === undefined) return undefined;
  const token = await onStorage(dataDir, () => readToken(dataDir));
  if (token === undefined) return undefined;
  const { url } = file;
  const challenge = randomBytes(24).toString('base64url');
  try {
    if (!(await isOwnAddress(url))) return undefined;
    const answer = await fetch(`${url}${PROOF_PATH}?challenge=${challenge}`, {
      redirect: 'error',
      signal: AbortSignal.timeout(5_000),
    });
    const { proof } = Proof.parse(await answer.json());
    return isProof(proof, proofOf(token, url, challenge)) ? { url, token } : undefined;
  } catch {
    return undefined;
  }
};
