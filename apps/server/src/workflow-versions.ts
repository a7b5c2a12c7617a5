import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  CloutError,
  MAX_WORKFLOW_VERSIONS,
  NodeId,
  StoredWorkflow,
  type WorkflowDocument,
  type WorkflowVersion,
} from '@cloutagent/contract';
import { hashOf } from '@cloutagent/engine';
import { toIso, type Clock } from '@cloutagent/kit';
import { onStorage } from './storage-error.ts';

/** Stored workflows: a folder for each name, in it a file for each version that is written once. */
export interface WorkflowVersions {
  /** Names with their newest version, sorted. */
  list(): Promise<readonly WorkflowVersion[]>;
  /** Newest first. Throws WORKFLOW_NOT_FOUND. */
  versions(name: string): Promise<readonly WorkflowVersion[]>;
  /** The newest one where no version is named. Throws WORKFLOW_NOT_FOUND. */
  read(name: string, version?: number): Promise<StoredWorkflow>;
  /** Stores the next version, or gives the newest one where it has the same document. Errors: WORKFLOW_INVALID, STORAGE_*. */
  store(workflow: WorkflowDocument, by: string, note?: string): Promise<WorkflowVersion>;
  /** Stores the document of an old version once more. Throws WORKFLOW_NOT_FOUND. */
  rollBack(name: string, version: number, by: string): Promise<WorkflowVersion>;
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

const withoutDocument = ({ workflow: _workflow, ...version }: StoredWorkflow): WorkflowVersion => version;

export const openWorkflowVersions = (dataDir: string, clock: Clock): WorkflowVersions => {
  const home = path.join(dataDir, 'workflows');
  const missing = (name: string, version?: number): CloutError =>
    new CloutError('WORKFLOW_NOT_FOUND', `There is no workflow ${name}${version === undefined ? '' : `@${version}`}`);
  const folderOf = (name: string): string => {
    // A name becomes a folder: nothing else may be one, whoever calls.
    if (!NodeId.safeParse(name).success) throw missing(name);
    return path.join(home, name);
  };

  const entries = async (folder: string): Promise<readonly string[]> => {
    try {
      return await readdir(folder);
    } catch (error) {
      if (isCode(error, 'ENOENT')) return [];
      throw error;
    }
  };
  /** Newest first. */
  const numbers = async (name: string): Promise<readonly number[]> =>
    (await entries(folderOf(name)))
      .flatMap((file) => (/^[1-9]\d*\.json$/u.test(file) ? [Number.parseInt(file, 10)] : []))
      .toSorted((a, b) => b - a);

  const read = async (name: string, version?: number): Promise<StoredWorkflow> => {
    const wanted = version ?? (await numbers(name))[0];
    if (wanted === undefined) throw missing(name);
    let text: string;
    try {
      text = await readFile(path.join(folderOf(name), `${wanted}.json`), 'utf8');
    } catch (error) {
      if (isCode(error, 'ENOENT')) throw missing(name, wanted);
      throw error;
    }
    try {
      const stored = StoredWorkflow.parse(JSON.parse(text));
      if (stored.hash === hashOf(stored.workflow)) return stored;
    } catch {
      // Says the same as a hash that does not fit.
    }
    throw new CloutError('WORKFLOW_INVALID', `The stored workflow ${name}@${wanted} was damaged or edited on disk`, {
      hint: `Restore workflows/${name}/${wanted}.json of the data folder, or import the workflow again`,
    });
  };

  const write = async (
    workflow: WorkflowDocument & { name: string },
    entry: Pick<WorkflowVersion, 'createdBy' | 'note' | 'rolledBackTo'>,
  ): Promise<WorkflowVersion> => {
    const { name } = workflow;
    const folder = folderOf(name);
    const staged = path.join(folder, `.${randomUUID()}`);
    return onStorage(folder, async () => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      try {
        for (;;) {
          const version = ((await numbers(name))[0] ?? 0) + 1;
          if (version > MAX_WORKFLOW_VERSIONS) {
            throw new CloutError(
              'WORKFLOW_INVALID',
              `${name} has ${MAX_WORKFLOW_VERSIONS} versions, which is the most`,
              {
                hint: 'Go on under another name',
              },
            );
          }
          const stored = { name, version, hash: hashOf(workflow), createdAt: toIso(clock.now()), ...entry, workflow };
          await writeFile(staged, `${JSON.stringify(stored)}\n`, { mode: 0o400, flush: true });
          try {
            // Whole or not there, and never over another one: whoever is first has the number.
            await link(staged, path.join(folder, `${version}.json`));
          } catch (error) {
            if (!isCode(error, 'EEXIST')) throw error;
            await rm(staged, { force: true });
            continue;
          }
          for (const place of [folder, home]) await syncFolder(place);
          return withoutDocument(stored);
        }
      } finally {
        await rm(staged, { force: true });
      }
    });
  };

  return {
    read,
    list: async () => {
      const names = (await entries(home)).filter((name) => NodeId.safeParse(name).success).toSorted();
      const newest = await Promise.all(
        names.map(async (name) => ((await numbers(name)).length === 0 ? [] : [withoutDocument(await read(name))])),
      );
      return newest.flat();
    },
    versions: async (name) => {
      const all = await numbers(name);
      if (all.length === 0) throw missing(name);
      const found: WorkflowVersion[] = [];
      for (const version of all) found.push(withoutDocument(await read(name, version)));
      return found;
    },
    store: async (workflow, by, note) => {
      const { name } = workflow;
      if (name === undefined) {
        throw new CloutError('WORKFLOW_INVALID', 'A workflow is stored under its name, and this one has none', {
          hint: 'Give it a name: letters, digits, "_", "-" or "."',
        });
      }
      const [newest] = await numbers(name);
      if (newest !== undefined) {
        const known = await read(name, newest);
        if (known.hash === hashOf(workflow)) return withoutDocument(known);
      }
      return write({ ...workflow, name }, { createdBy: by, ...(note === undefined ? {} : { note }) });
    },
    rollBack: async (name, version, by) => {
      const { workflow } = await read(name, version);
      return write({ ...workflow, name }, { createdBy: by, rolledBackTo: version });
    },
  };
};

/** A name is durable once its folder is. */
const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};
