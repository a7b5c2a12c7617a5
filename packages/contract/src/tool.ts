import * as z from 'zod';
import { ChangePage } from './change.ts';
import { SLUG_PATTERN } from './slug.ts';
import type { Scope } from './principal.ts';

/** `null` in an optional field means absent, on every tool and protocol. */
const optional = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined);

const slug = z.string().regex(new RegExp(SLUG_PATTERN, 'u'), `must match pattern '${SLUG_PATTERN}'`);

/** Input of `change.open` (seed 002). `template` is an open string here so that an unknown one is `TEMPLATE_NOT_FOUND`. */
export const ChangeOpenInput = z.object({
  title: z.string().min(1).max(200).describe('Human-readable title of the change'),
  slug: slug.describe('URL-friendly identifier (3-64 chars, alphanumeric + hyphens)'),
  rationale: optional(z.string().max(20_000).describe('Reason for creating this change')),
  owner: optional(z.string().min(1).max(200).describe('Owner or team responsible for the change')),
  ttl: optional(z.int().min(60).max(86_400).describe('Seconds that the owner holds the change (1 minute to 24 hours)')),
  template: optional(z.string().describe('Change template type for structured initialization')),
});
export type ChangeOpenInput = z.infer<typeof ChangeOpenInput>;

export const ChangeArchiveInput = z.object({
  slug: slug.describe('Slug of the change to archive'),
  allowIncomplete: optional(z.boolean().describe('Archive although tasks are open')),
  /** Where both sides only added scenarios to a requirement, keep those of both instead of answering CHANGE_CONFLICT. */
  union: optional(z.boolean().describe('Keep the scenarios of both sides where each only added some')),
});
export type ChangeArchiveInput = z.infer<typeof ChangeArchiveInput>;

/** Input of `changes.active` (seed 002); `pageToken` wins over `offset`. */
export const ChangesActiveInput = z.object({
  limit: optional(z.int().min(1).max(200).describe('Maximum number of changes to return (1-200); 50')),
  offset: optional(z.int().min(0).describe('Number of changes to skip for pagination')),
  pageToken: optional(z.string().describe('Token of the next page; wins over offset')),
  status: optional(z.enum(['draft', 'all']).describe('Filter by change status; draft')),
  owner: optional(z.string().describe('Filter by owner/team')),
  template: optional(z.enum(['feature', 'bugfix', 'chore']).describe('Filter by template type')),
});
export type ChangesActiveInput = z.infer<typeof ChangesActiveInput>;

export interface ToolSpec {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: z.ZodType;
  readonly output?: z.ZodType;
  readonly scope: Scope;
  readonly annotations: {
    readonly readOnlyHint: boolean;
    readonly destructiveHint: boolean;
    readonly idempotentHint: boolean;
    readonly openWorldHint: boolean;
  };
}

/** The tools of the Task MCP server, in the order in which they are listed (seed 002 "Tools Reference"). */
export const TOOLS = {
  'change.open': {
    name: 'change.open',
    title: 'Open a change',
    description: 'Create a new OpenSpec change with template-based initialization.',
    input: ChangeOpenInput,
    scope: 'run',
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  },
  'change.archive': {
    name: 'change.archive',
    title: 'Archive a change',
    description: 'Validate a change, merge its deltas into the specifications and move it to the archive.',
    input: ChangeArchiveInput,
    scope: 'run',
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  },
  'changes.active': {
    name: 'changes.active',
    title: 'List changes',
    description: 'List all active changes with pagination and filtering support.',
    input: ChangesActiveInput,
    output: ChangePage,
    scope: 'read',
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  },
} as const satisfies Record<string, ToolSpec>;

export type ToolName = keyof typeof TOOLS;
