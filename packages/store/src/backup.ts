import { access, mkdtemp, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { CloutError } from '@cloutagent/contract';
import { fromFailure, toFailure } from './failure.ts';
import { openSqlite } from './libsql.ts';

export interface Backup {
  readonly file: string;
  readonly bytes: number;
}

/** The owner of the database writes in between; a writer that holds it for longer is stuck. */
const BUSY_TIMEOUT_MS = 30_000;

const sync = async (name: string): Promise<void> => {
  const handle = await open(name, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/**
 * Copies `store.db` of a data folder as it is at one moment, while another process may own it and go on. The copy is whole,
 * checked, on the disk, and readable by its owner alone; nothing stands under its name before that.
 * Blocks the thread while it copies. Throws INVALID_INPUT (the file exists, or its folder does not), NOT_FOUND (no database),
 * STORAGE_*.
 */
export const backUpStore = async (options: { readonly dir: string; readonly file: string }): Promise<Backup> => {
  const { file } = options;
  const source = path.join(options.dir, 'store.db');
  const folder = path.dirname(file);
  if (!(await exists(source))) {
    throw new CloutError('NOT_FOUND', `There is no database in ${options.dir}`, {
      hint: 'It is made by the first run; name the project with --cwd DIR',
    });
  }
  if (!(await exists(folder))) {
    throw new CloutError('INVALID_INPUT', `There is no folder ${folder}`, { hint: 'Make it, or name another file' });
  }
  if (await exists(file)) {
    throw new CloutError('INVALID_INPUT', `${file} exists already`, { hint: 'Name a file that does not exist' });
  }
  // Beside the file, so that the last step is one within the same disk; closed to others, as the data folder is.
  const staging = await mkdtemp(path.join(folder, '.clout-backup-')).catch((error: unknown) => {
    throw fromFailure(toFailure(error), error);
  });
  const staged = path.join(staging, 'store.db');
  try {
    // Made here, so that it is its owner's alone; SQLite fills a file that is empty.
    await (await open(staged, 'wx', 0o600)).close();
    copy(source, staged);
    await sync(staged);
    await rename(staged, file);
    await sync(folder);
    return { file, bytes: (await stat(file)).size };
  } catch (error) {
    throw fromFailure(toFailure(error), error);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
};

/** One snapshot: what is committed meanwhile is not in it. */
const copy = (source: string, target: string): void => {
  const connection = openSqlite(source, { busyTimeoutMs: BUSY_TIMEOUT_MS });
  try {
    connection.run('VACUUM INTO ?', [target]);
  } finally {
    connection.close();
  }
  const copied = openSqlite(target, { busyTimeoutMs: 0 });
  try {
    const [found] = copied.run('PRAGMA integrity_check').rows;
    if (found?.['integrity_check'] !== 'ok')
      throw new CloutError('STORAGE_CORRUPT', 'The copy of the database is damaged');
  } finally {
    copied.close();
  }
};

const exists = (name: string): Promise<boolean> =>
  access(name).then(
    () => true,
    () => false,
  );
