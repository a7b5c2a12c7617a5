import { realpath } from 'node:fs/promises';
import path from 'node:path';
import type { ToolPort } from '@cloutagent/engine';

export interface Guarded {
  /** Root of the project, where relative paths begin. */
  readonly root: string;
  readonly openspecDir: string;
  /** Other absolute folders that stay closed. */
  readonly others: readonly string[];
}

/** Closed wherever they stand in the project: our ledger and token, our work folder, and git's hooks and objects. */
const CLOSED = new Set(['.cloutagent', '.task-mcp', '.git']);

const WRITING = new Set(['write_file', 'edit_file', 'move_file', 'create_directory']);

/** In the openspec folder: what says whether work is done, who holds it, and what was done. */
const RECORDS = /^changes\/(?:archive(?:\/.*)?|[^/]+\/(?:tasks\.md|\.openspec\.yaml)(?:\/.*)?)$/u;

/** Folders whose move would move records along. */
const ABOVE_RECORDS = /^(?:changes(?:\/[^/]+)?)?$/u;

/**
 * The same tools, closed to what an agent is judged by. An agent works on the files of the project, and the record of its
 * work lies among them: with the ledger, the token, or the checkboxes in reach, one that errs or is misled by a file it
 * reads could call its own work done, give itself money, or act as the user.
 */
export const guardTools = (port: ToolPort, guarded: Guarded): ToolPort => ({
  tools: () => port.tools(),
  call: (tool, input, options) => port.call(tool, input, options),
  refuse: async (tool, input) => {
    for (const asked of pathsOf(input)) {
      const why = await reasonOf(tool.name, asked, guarded);
      if (why !== undefined) return `${asked} ${why}`;
    }
    return port.refuse?.(tool, input);
  },
});

const pathsOf = (input: unknown): readonly string[] => {
  if (typeof input !== 'object' || input === null) return [];
  const fields = new Map<string, unknown>(Object.entries(input));
  const paths = fields.get('paths');
  const many: readonly unknown[] = Array.isArray(paths) ? paths : [];
  const all: readonly unknown[] = [fields.get('path'), fields.get('source'), fields.get('destination'), ...many];
  return all.filter((value) => typeof value === 'string');
};

const reasonOf = async (tool: string, asked: string, guarded: Guarded): Promise<string | undefined> => {
  // The server reads it as a home folder, which may lie around the project.
  if (asked === '~' || asked.startsWith('~/')) return 'begins with ~; write the whole path.';
  const literal = path.resolve(guarded.root, asked);
  const targets = [literal, await realOf(literal)];
  const bases = async (folder: string): Promise<readonly string[]> => [folder, await realOf(folder)];
  const within = (folders: readonly string[]): readonly string[] =>
    targets.flatMap((target) => folders.flatMap((folder) => insideOf(folder, target) ?? []));

  const inRoot = within(await bases(guarded.root));
  const closed = inRoot.some((inside) => inside.split('/').some((part) => CLOSED.has(part)));
  const folders = [
    path.join(guarded.root, '.cloutagent'),
    path.join(guarded.openspecDir, '.task-mcp'),
    ...guarded.others,
  ];
  const all = (await Promise.all(folders.map(bases))).flat();
  if (closed || within(all).length > 0) return 'is closed to tools: it belongs to CloutAgent or to git.';

  if (!WRITING.has(tool)) return undefined;
  const inOpenspec = within(await bases(guarded.openspecDir));
  const isRecord = (inside: string): boolean =>
    RECORDS.test(inside) || (tool === 'move_file' && ABOVE_RECORDS.test(inside));
  return inOpenspec.some(isRecord)
    ? 'is not to be written by tools: it records what is done and who holds it.'
    : undefined;
};

/** Place of a file in a folder, with slashes and in small letters, as a disk that knows no case sees it. */
const insideOf = (folder: string, file: string): string | undefined => {
  const relative = path.relative(folder, file);
  if (relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative)) return undefined;
  return relative.split(path.sep).join('/').toLowerCase();
};

/** The path without links; what does not exist yet is taken to be in the nearest folder that does. */
const realOf = async (file: string): Promise<string> => {
  try {
    return await realpath(file);
  } catch {
    const parent = path.dirname(file);
    return parent === file ? file : path.join(await realOf(parent), path.basename(file));
  }
};
