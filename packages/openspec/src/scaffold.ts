import type { ChangeFiles } from './change.ts';
import { walkFiles } from './disk/read.ts';
import { sha256 } from './digest.ts';
import type { Project } from './project.ts';

/** What open notes of the files it writes, so that an untouched change is known later: SHA-256 by relative path. */
export const scaffoldOf = (files: ReadonlyMap<string, string>): Record<string, string> =>
  Object.fromEntries([...files].map(([name, text]) => [name, sha256(text)]));

/** Files that are byte for byte what open wrote. */
export const untouchedFiles = ({ meta, proposal, tasks, deltas }: ChangeFiles): string[] => {
  const texts = new Map<string, string | undefined>([
    ['proposal.md', proposal],
    ['tasks.md', tasks],
    ...deltas.map(({ path, text }) => [path, text] as const),
  ]);
  return Object.entries(meta.scaffold ?? {})
    .filter(([name, hash]) => sha256(texts.get(name) ?? '') === hash)
    .map(([name]) => name);
};

/** Is the whole change as open wrote it, with nothing added and nothing taken away? Leases do not count. */
export const isUntouched = (project: Project, files: ChangeFiles): boolean => {
  const untouched = untouchedFiles(files);
  if (untouched.length === 0 || untouched.length !== Object.keys(files.meta.scaffold ?? {}).length) return false;
  const present = walkFiles(project.openspecDir, files.folder).map(({ name }) => name);
  return present.length === untouched.length && present.every((name) => untouched.includes(name));
};
