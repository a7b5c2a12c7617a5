import path from 'node:path';
import { CloutError, type ChangeOpenInput, type ChangeSummary, type Template } from '@cloutagent/contract';
import { toIso } from '@cloutagent/kit';
import { BASES_FILE, writeNote, type Base } from './base/bases.ts';
import { seen } from './base/see.ts';
import { changeFolder, loadChange, timesOf, toSummary, type ChangeFiles } from './change.ts';
import { errnoOf } from './disk/errno.ts';
import { entriesOf } from './disk/read.ts';
import { foldedName } from './folded-name.ts';
import { isThere, publishFolder, replaceFile } from './disk/durable.ts';
import { mutate } from './held.ts';
import { assertFree, holds, newLease } from './lease.ts';
import { meetSpecs } from './met.ts';
import { isReadableMeta, META_FILE, updateMeta, type Lease } from './meta.ts';
import { isOwnName } from './own-name.ts';
import { changesDir, workDir, type Caller, type HeldProject, type Project } from './project.ts';
import { scaffoldOf } from './scaffold.ts';
import { assertNewSlug } from './slug.ts';
import { fillTemplate, templateNamed } from './template/template.ts';
import { manyLines, oneLine } from './template/text.ts';

export interface OpenedChange {
  readonly change: ChangeSummary;
  /** True where the same owner opened it before and has renewed the lease. */
  readonly resumed: boolean;
  /** Relative to the folder of the change: proposal.md, tasks.md, then the deltas. */
  readonly files: readonly string[];
}

/**
 * Opens a change from a template; it appears whole, in one rename.
 * @throws INVALID_INPUT, TEMPLATE_NOT_FOUND, CHANGE_ALREADY_EXISTS, CHANGE_LOCKED, STORAGE_FULL, STORAGE_READONLY
 */
export const openChange = async (given: Project, input: ChangeOpenInput): Promise<OpenedChange> => {
  assertNewSlug(input.slug);
  const title = oneLine(input.title);
  if (title === '') throw new CloutError('INVALID_INPUT', 'title: must not be blank', { details: { field: 'title' } });
  const template = templateNamed(input.template);
  return mutate(given, async (project) => {
    const folder = changeFolder(project, input.slug);
    if (isThere(folder) && isOwnName(changesDir(project), input.slug)) return resume(project, input);
    const twin = entriesOf(changesDir(project)).find(({ name }) => foldedName(name) === input.slug);
    if (twin !== undefined) throw exists(project, await loadChange(project, twin.name));
    const files = documentsOf(template, { ...input, title });
    const lease = newLease(project, input);
    const meta = metaOf(project, { template, title, owner: input.owner, lease, files });
    try {
      const bases = await basesOf(project, input.slug, files);
      const all = new Map([...files, [META_FILE, meta], [BASES_FILE, writeNote({ bases, isPassing: false })]]);
      await publishFolder(project.writes, workDir(project, 'staging'), folder, all);
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(errnoOf(error) ?? '')) throw error;
      return resume(project, input);
    }
    return opened(project, await loadChange(project, input.slug), false);
  });
};

const documentsOf = (
  template: Template,
  { title, slug, rationale }: Pick<ChangeOpenInput, 'title' | 'slug' | 'rationale'>,
): Map<string, string> => {
  const why = manyLines(rationale ?? '');
  const { proposal, tasks, delta } = fillTemplate(template, { title, slug, rationale: why === '' ? undefined : why });
  return new Map([
    ['proposal.md', proposal],
    ['tasks.md', tasks],
    [deltaFile(slug), delta],
  ]);
};

/** What the requirements of the delta look like at this moment: most often they do not exist yet. */
const basesOf = async (project: Project, slug: string, files: ReadonlyMap<string, string>): Promise<Base[]> => {
  const text = files.get(deltaFile(slug)) ?? '';
  return seen([], await meetSpecs(project, { deltas: [{ capability: slug, path: deltaFile(slug), text }] }));
};

const deltaFile = (slug: string): string => `specs/${slug}/spec.md`;

interface MetaInput {
  readonly template: Template;
  readonly title: string;
  readonly owner: string | undefined;
  readonly lease: Lease | undefined;
  readonly files: ReadonlyMap<string, string>;
}

const metaOf = (project: Project, { template, title, owner, lease, files }: MetaInput): string => {
  const opened = toIso(project.clock.now());
  return updateMeta(undefined, {
    schema: 'spec-driven',
    created: opened.slice(0, 10),
    opened,
    title,
    template,
    ...(owner === undefined ? {} : { owner }),
    ...(lease === undefined ? {} : { lease }),
    scaffold: scaffoldOf(files),
  });
};

/** The same owner renews the lease; to everybody else the slug is taken. */
const resume = async (project: HeldProject, input: ChangeOpenInput): Promise<OpenedChange> => {
  const files = await loadChange(project, input.slug);
  // Who names an owner acts as that owner and nobody else: two people behind one token do not take over from each other.
  const who: Caller = input.owner === undefined ? project : { caller: input.owner };
  assertFree(project, files.name, files.meta, who);
  const { lease } = files.meta;
  if (lease === undefined || !holds(lease, who) || !isReadableMeta(files.metaText)) throw exists(project, files);
  const renewed = newLease(project, { owner: lease.owner, ttl: input.ttl ?? lease.ttl });
  const file = path.join(files.folder, META_FILE);
  await replaceFile(project.writes, workDir(project, 'staging'), file, updateMeta(files.metaText, { lease: renewed }));
  return opened(project, await loadChange(project, input.slug), true);
};

const exists = (project: Project, { name, folder, meta }: ChangeFiles): CloutError => {
  const { created } = timesOf(project, folder, meta);
  return new CloutError('CHANGE_ALREADY_EXISTS', `Change with slug '${name}' already exists`, {
    details: { existing_slug: name, existing_status: 'draft', created_at: toIso(created) },
  });
};

const opened = (project: Project, files: ChangeFiles, resumed: boolean): OpenedChange => ({
  change: toSummary(project, files),
  resumed,
  files: [
    ...(files.proposal === undefined ? [] : ['proposal.md']),
    ...(files.tasks === undefined ? [] : ['tasks.md']),
    ...files.deltas.map((delta) => delta.path),
  ],
});
