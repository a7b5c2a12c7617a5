import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CloutError } from '@cloutagent/contract';
import * as z from 'zod';

const Approval = z.object({
  /** Of the entry as it was approved. */
  digest: z.string(),
  by: z.string(),
  /** Milliseconds since 1970, UTC. */
  at: z.int(),
  /** Approved tools and their digests; absent until the server listed them once. */
  tools: z.record(z.string(), z.string()).optional(),
});
export interface Approval extends z.infer<typeof Approval> {}

const ApprovalFile = z.object({ format: z.literal(1), servers: z.record(z.string(), Approval) });

/** What an administrator of this machine has approved for one data folder. */
export interface Approvals {
  get(id: string): Approval | undefined;
  set(id: string, approval: Approval): Promise<void>;
  remove(id: string): Promise<void>;
}

/**
 * Keeps approvals in a file outside of any project, so that nothing that comes with a repository can approve itself. One
 * process owns a data folder and so its file. Without a file they end with the process. Errors: VALIDATION_ERROR where the
 * file cannot be read.
 */
export const openApprovals = async (file?: string): Promise<Approvals> => {
  const entries = new Map<string, Approval>(file === undefined ? [] : Object.entries(await read(file)));
  let writing = Promise.resolve();
  const save = (): Promise<void> => {
    if (file === undefined) return writing;
    writing = writing.then(async () => {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      const staged = `${file}.${process.pid}`;
      const text = JSON.stringify({ format: 1, servers: Object.fromEntries(entries) }, undefined, 2);
      await writeFile(staged, `${text}\n`, { mode: 0o600 });
      await rename(staged, file);
    });
    const done = writing;
    // One write that failed must not fail those after it.
    writing = writing.catch(() => undefined);
    return done;
  };
  return {
    get: (id) => entries.get(id),
    set: (id, approval) => {
      entries.set(id, approval);
      return save();
    },
    remove: async (id) => {
      if (entries.delete(id)) await save();
    },
  };
};

const read = async (file: string): Promise<Record<string, Approval>> => {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    return {};
  }
  try {
    return ApprovalFile.parse(JSON.parse(text)).servers;
  } catch (cause) {
    throw new CloutError('VALIDATION_ERROR', `${file} cannot be read`, {
      hint: 'Remove the file and approve the MCP servers again',
      cause,
    });
  }
};
