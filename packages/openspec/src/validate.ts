import path from 'node:path';
import type { Finding, StaleRequirement, Validation } from '@cloutagent/contract';
import { noteBases } from './base/see.ts';
import { checkBases } from './base/stale.ts';
import { holdsDelta, loadChange, shortcomingsOf, type ChangeFiles } from './change.ts';
import { isEmptyDelta } from './grammar/delta.ts';
import { mergeDelta } from './merge/merge.ts';
import { meetSpecs, type MetDelta } from './met.ts';
import type { Project } from './project.ts';
import { deltaFindings, emptyFinding } from './rules/delta-rules.ts';
import { markerFindings, misplacedFinding } from './rules/file-rules.ts';
import { taskFindings } from './rules/task-rules.ts';
import { twinsOf, type Twins } from './twins.ts';

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
  const met = await meetSpecs(project, files);
  const { stale } = checkBases(met, await noteBases(project, files, met), false);
  const issues = [
    ...findingsOf(project, files, met),
    ...stale.map(staleFinding),
    ...shortcomingsOf(files),
    ...twinsOf(project, met).map(collision),
  ];
  return { slug, valid: isValid(issues, strict), issues };
};

/** Only information too: OpenSpec's verdict stays, but the author learns here already what an archive will refuse. */
const staleFinding = ({ capability, requirement, operation }: StaleRequirement): Finding => ({
  level: 'INFO',
  code: 'BASE_CHANGED',
  path: `${capability}/spec.md`,
  message: `${operation} "${requirement}": the specification changed since this change started from it. Archive shows both texts.`,
});

/** OpenSpec makes two specifications of them. */
const collision = ({ capability, message }: Twins): Finding => ({
  level: 'INFO',
  code: 'NAME_COLLISION',
  path: `${capability}/spec.md`,
  message: `Archive would refuse this delta: ${message}`,
});

export const isValid = (issues: readonly Finding[], strict: boolean): boolean =>
  !issues.some(({ level }) => level === 'ERROR' || (strict && level === 'WARNING'));

/** Everything that can make a change invalid; what is only information needs a trial merge, and is left out. */
export const verdictOf = (project: Project, files: ChangeFiles, met: readonly MetDelta[]): Finding[] =>
  findingsOf(project, files, met, () => []);

export const findingsOf = (
  project: Project,
  files: ChangeFiles,
  met: readonly MetDelta[],
  blockers: (slug: string, one: MetDelta) => Finding[] = blockerOf,
): Finding[] => {
  const pathOf = ({ capability }: MetDelta): string => `${capability}/spec.md`;
  const rootFile = files.specFiles.filter(({ name }) => name === 'spec.md').map(({ name }) => misplacedFinding(name));
  const perDelta = met.flatMap((one) => deltaFindings(pathOf(one), one.delta, one.base));
  const empty = met.flatMap((one) => emptyFinding(pathOf(one), one.delta) ?? []);
  const broken = new Set([...perDelta, ...empty].filter(({ level }) => level === 'ERROR').map((issue) => issue.path));
  const blocked = met.filter((one) => !broken.has(pathOf(one))).flatMap((one) => blockers(files.name, one));
  const unread: Finding[] = [];
  for (const file of files.specFiles) {
    if (path.posix.basename(file.name) === 'spec.md' || !file.name.toLowerCase().endsWith('.md')) continue;
    if (holdsDelta(project, file)) unread.push(misplacedFinding(file.name));
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
