import { access, constants, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { CloutError } from '@cloutagent/contract';
import { fromFailure, toFailure } from './failure.ts';
import { openSqlite, type Connection } from './libsql.ts';

export interface DataFolderLock {
  release(): Promise<void>;
}

/** Held connections; one that only a closure knows would be closed, and its lock lost, when that is collected. */
const held = new Set<Connection>();

/**
 * Makes this process the owner of a data folder: an exclusive transaction on `lock.db`, open until the process ends. The
 * kernel lets go of it however that happens, and not while the process is merely stopped. Nobody may open `lock.db` in
 * another way: closing any handle of a file drops the process's locks on it (POSIX).
 * Throws DATA_FOLDER_IN_USE (details: `server.json` of the owner, where readable), STORAGE_*.
 */
export const lockDataFolder = async (dir: string): Promise<DataFolderLock> => {
  let connection: Connection;
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const file = path.join(dir, 'lock.db');
    connection = acquire(file);
    await requireWritable(file, connection);
  } catch (error) {
    const failure = toFailure(error);
    if (failure.code !== 'STORAGE_BUSY') throw fromFailure(failure, error);
    throw new CloutError('DATA_FOLDER_IN_USE', 'Another CloutAgent process owns this data folder', {
      details: await readOwner(dir),
      cause: error,
    });
  }
  return {
    release: async () => {
      if (held.delete(connection)) connection.close();
    },
  };
};

/** On the calling thread, where the lock lives as long as the process; it waits for nothing. */
const acquire = (file: string): Connection => {
  const connection = openSqlite(file, { busyTimeoutMs: 0 });
  try {
    // Without a transaction on disk there is nothing to sync, nothing to recover, and no second file.
    connection.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    connection.close();
    throw error;
  }
  held.add(connection);
  return connection;
};

/** SQLite opens a file that may not be written for reading, and then an exclusive transaction excludes nobody. */
const requireWritable = async (file: string, connection: Connection): Promise<void> => {
  try {
    await access(file, constants.W_OK);
  } catch (error) {
    held.delete(connection);
    connection.close();
    throw error;
  }
};

/** Where the owner can be reached, for the message; only a hint. */
const readOwner = async (dir: string): Promise<Readonly<Record<string, unknown>>> => {
  try {
    const owner: unknown = JSON.parse(await readFile(path.join(dir, 'server.json'), 'utf8'));
    return typeof owner === 'object' && owner !== null ? { ...owner } : {};
  } catch {
    return {};
  }
};
