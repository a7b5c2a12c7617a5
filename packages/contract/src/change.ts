import * as z from 'zod';
import { pageOf } from './page.ts';
import { TEMPLATES } from './slug.ts';

export const Template = z.enum(TEMPLATES);
export type Template = z.infer<typeof Template>;

/** A condition that we check ourselves after the agent says that a task is done. */
export const Check = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('file-exists'), path: z.string() }),
  z.object({ kind: z.literal('file-contains'), path: z.string(), text: z.string() }),
  z.object({ kind: z.literal('run'), command: z.string() }),
]);
export type Check = z.infer<typeof Check>;

/** One checkbox of `tasks.md`. `id` is its number (`1.2`) or, without one, `#` and its ordinal. */
export const Task = z.object({
  id: z.string(),
  title: z.string(),
  done: z.boolean(),
  /** 1-based line of the checkbox in tasks.md. */
  line: z.int(),
  /** Title of the `##` group above it. */
  group: z.string().optional(),
  /** Indented text below the checkbox that is not a check. */
  notes: z.array(z.string()),
  checks: z.array(Check),
  /** Check bullets that cannot be read; a task that has one is never ticked. */
  unreadableChecks: z.array(z.string()),
});
export interface Task extends z.infer<typeof Task> {}

/**
 * Several open changes name one requirement. `kind` says how: all modify it, all create it, all remove it, or they
 * want different things of it.
 */
export const Overlap = z.object({
  capability: z.string(),
  requirement: z.string(),
  kind: z.enum(['both-modify', 'both-add', 'both-remove', 'mixed']),
  changes: z.array(z.object({ slug: z.string(), operation: z.enum(['ADDED', 'MODIFIED', 'REMOVED', 'RENAMED']) })),
});
export interface Overlap extends z.infer<typeof Overlap> {}

/**
 * A requirement that a change starts from and that the specification says otherwise by now. Texts are null where there
 * is none: no such requirement, or a side that only removes or renames it.
 */
export const StaleRequirement = z.object({
  capability: z.string(),
  requirement: z.string(),
  operation: z.enum(['ADDED', 'MODIFIED', 'REMOVED', 'RENAMED']),
  /** What the change started from; null also where that text is too long to be kept. */
  base: z.string().nullable(),
  current: z.string().nullable(),
  yours: z.string().nullable(),
  /** Both sides in one, where each only added scenarios. */
  union: z.string().optional(),
});
export interface StaleRequirement extends z.infer<typeof StaleRequirement> {}

/** `details` of the `CHANGE_CONFLICT` of an archive that would overwrite what others wrote. */
export const ConflictDetails = z.object({ slug: z.string(), conflicts: z.array(StaleRequirement) });

export const ChangeStatus = z.enum(['draft', 'archived']);

export const ChangeSummary = z.object({
  slug: z.string(),
  title: z.string(),
  status: ChangeStatus,
  template: Template.optional(),
  owner: z.string().optional(),
  createdAt: z.string(),
  updatedAt: z.string(),
  tasks: z.object({ done: z.int(), total: z.int() }),
  paths: z.object({ root: z.string(), proposal: z.string(), tasks: z.string() }),
  /** Slugs of other open changes that name the same requirement; absent where there are none. */
  overlapsWith: z.array(z.string()).optional(),
  /** What cannot be read or is missing in an open change, so that it counts as absent; absent where nothing is. */
  warnings: z.array(z.string()).optional(),
});
export interface ChangeSummary extends z.infer<typeof ChangeSummary> {}

export const ChangePage = pageOf(ChangeSummary);

export const ChangeDetail = ChangeSummary.extend({
  /** Markdown as on disk; empty where the file does not exist. */
  proposal: z.string(),
  taskList: z.array(Task),
  /** Deltas by capability id, `specs/<capability>/spec.md`. */
  deltas: z.array(z.object({ capability: z.string(), path: z.string(), text: z.string() })),
  /** Requirements that other open changes name too. */
  overlaps: z.array(Overlap),
});
export interface ChangeDetail extends z.infer<typeof ChangeDetail> {}

/** One finding of validation: OpenSpec's level and message, with a stable code beside it. */
export const Finding = z.object({
  level: z.enum(['ERROR', 'WARNING', 'INFO']),
  code: z.string(),
  path: z.string(),
  line: z.int().optional(),
  message: z.string(),
});
export interface Finding extends z.infer<typeof Finding> {}

export const Validation = z.object({ slug: z.string(), valid: z.boolean(), issues: z.array(Finding) });
export interface Validation extends z.infer<typeof Validation> {}

/** What an archive did to one capability. Names are those of requirements. */
export const SpecUpdate = z.object({
  capability: z.string(),
  path: z.string(),
  created: z.boolean(),
  /** The specification was deleted with its last requirement (`retire_capabilities`). */
  retired: z.boolean(),
  added: z.array(z.string()),
  modified: z.array(z.string()),
  removed: z.array(z.string()),
  renamed: z.array(z.object({ from: z.string(), to: z.string() })),
});
export interface SpecUpdate extends z.infer<typeof SpecUpdate> {}

/** Requirements by what an archive did to them, counted over all capabilities. */
export const SpecTotals = z.object({ added: z.int(), modified: z.int(), removed: z.int(), renamed: z.int() });

export const ArchiveResult = z.object({
  slug: z.string(),
  archivedAs: z.string(),
  archivedAt: z.string(),
  /** Folder in the archive, relative to the project's root. */
  path: z.string(),
  specs: z.array(SpecUpdate),
  totals: SpecTotals,
  warnings: z.array(z.string()),
  /** Requirements that changes which are still open name too: those started from text that is now older. */
  overlaps: z.array(Overlap),
  /** Where the receipt is, relative to the project's root. */
  receiptPath: z.string(),
});
export interface ArchiveResult extends z.infer<typeof ArchiveResult> {}

export const UnarchiveResult = z.object({
  slug: z.string(),
  /** Name that its folder had in the archive. */
  archivedAs: z.string(),
  /** Folder of the change, open again, relative to the project's root. */
  path: z.string(),
  /** Specifications that are again as before the archive. */
  specs: z.array(z.string()),
});
export interface UnarchiveResult extends z.infer<typeof UnarchiveResult> {}
