import path from 'node:path';
import type { Finding, Validation } from '@cloutagent/contract';
import { holdsDelta, loadChange, type ChangeFiles } from './change.ts';
import { readInside } from './disk/read.ts';
import { isEmptyDelta, parseDelta, type Delta } from './grammar/delta.ts';
import { mergeDelta } from './merge/merge.ts';
import { specsDir, type Project } from './project.ts';
import { deltaFindings, emptyFinding } from './rules/delta-rules.ts';
import { markerFindings, misplacedFinding } from './rules/file-rules.ts';
import { taskFindings } from './rules/task-rules.ts';

/** One delta of a change with the main specification that it meets. */
export interface MetDelta {
  readonly capability: string;
  readonly text: string;
  readonly delta: Delta;
  /** Undefined where the capability is new. */
  readonly base: string | undefined;
}

/**
 * Validates a change with OpenSpec's verdicts and messages, a stable code beside each. `strict`: warnings count too.
 * @throws CHANGE_NOT_FOUND, CHANGE_ALREADY_ARCHIVED
 */
export const validateChange = async (
  project: Project,
  slug: string,
  { strict = false }: { strict?: boolean } = {},
): Promise<Validation> => {
  const files = await loadChange(project, slug);
  const issues = await findingsOf(project, files, await meetSpecs(project, files));
  return { slug, valid: isValid(issues, strict), issues };
};

export const isValid = (issues: readonly Finding[], strict: boolean): boolean =>
  !issues.some(({ level }) => level === 'ERROR' || (strict && level === 'WARNING'));

export const specFile = (project: Project, capability: string): string =>
  path.join(specsDir(project), ...capability.split('/'), 'spec.md');

export const meetSpecs = async (project: Project, { deltas }: ChangeFiles): Promise<MetDelta[]> => {
  const met: MetDelta[] = [];
  for (const { capability, text } of deltas) {
    const base = await readInside(project.openspecDir, specFile(project, capability));
    met.push({ capability, text, delta: parseDelta(text), base });
  }
  return met;
};

export const findingsOf = async (
  project: Project,
  files: ChangeFiles,
  met: readonly MetDelta[],
): Promise<Finding[]> => {
  const pathOf = ({ capability }: MetDelta): string => `${capability}/spec.md`;
  const rootFile = files.specFiles.filter(({ name }) => name === 'spec.md').map(({ name }) => misplacedFinding(name));
  const perDelta = met.flatMap((one) => deltaFindings(pathOf(one), one.delta, one.base));
  const empty = met.flatMap((one) => emptyFinding(pathOf(one), one.delta) ?? []);
  const broken = new Set([...perDelta, ...empty].filter(({ level }) => level === 'ERROR').map((issue) => issue.path));
  const blocked = met.filter((one) => !broken.has(pathOf(one))).flatMap((one) => blockerOf(files.name, one));
  const unread: Finding[] = [];
  for (const file of files.specFiles) {
    if (path.posix.basename(file.name) === 'spec.md' || !file.name.toLowerCase().endsWith('.md')) continue;
    if (await holdsDelta(project, file)) unread.push(misplacedFinding(file.name));
  }
  return [
    ...rootFile,
    ...perDelta,
    ...blocked,
    ...unread,
    ...empty.filter(({ code }) => code === 'DELTA_SECTION_EMPTY'),
    ...empty.filter(({ code }) => code === 'DELTA_NO_SECTIONS'),
    ...markerFindings(files.meta, {
      hasSpecFiles: files.specFiles.length > 0,
      hasEntries: met.some(({ delta }) => !isEmptyDelta(delta)),
      isMisplaced: rootFile.length + unread.length > 0,
    }),
    ...(files.tasks === undefined ? [] : taskFindings(files.tasks)),
  ];
};

/** Only information: what blocks an archive today may be gone when its time comes. */
const blockerOf = (slug: string, { capability, text, delta, base }: MetDelta): Finding[] => {
  const merged = mergeDelta({ capability, slug, delta, deltaText: text, base });
  if (!('refused' in merged)) return [];
  const message = `Archive would refuse this delta: ${merged.refused}`;
  return [{ level: 'INFO', code: 'ARCHIVE_WOULD_REFUSE', path: `${capability}/spec.md`, message }];
};
