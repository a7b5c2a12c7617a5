import * as z from 'zod';
import { SpecTotals, SpecUpdate } from './change.ts';
import { Money } from './money.ts';
import { CheckResult, RunStatus, Verification } from './run.ts';
import { Usage } from './usage.ts';

/** What an archive proves: `receipt.json` beside the archived change. Amounts of simulated runs are kept apart. */
export const Receipt = z.object({
  format: z.literal(1),
  id: z.string(),
  slug: z.string(),
  title: z.string(),
  archivedAt: z.string(),
  archivedAs: z.string(),
  /** Name of the caller; never a token. */
  by: z.string(),
  /** `absent`: archived by a process without the run ledger, so nothing is known about runs. */
  ledger: z.enum(['consulted', 'absent']),
  specs: z.array(SpecUpdate),
  totals: SpecTotals,
  tasks: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      done: z.boolean(),
      verification: Verification.nullable(),
      evidence: z.array(CheckResult),
      runId: z.string().nullable(),
    }),
  ),
  runs: z.array(
    z.object({
      id: z.string(),
      status: RunStatus,
      model: z.string(),
      simulated: z.boolean(),
      startedAt: z.string(),
      finishedAt: z.string().nullable(),
      documentHash: z.string(),
      modelCalls: z.int(),
      toolCalls: z.array(z.object({ step: z.string(), name: z.string(), ok: z.boolean() })),
      usage: Usage,
      cost: Money,
      unknownOutcomes: z.int(),
    }),
  ),
  cost: z.object({ billed: Money, simulated: Money }),
  /** SHA-256 of this document without `hash`, as canonical JSON (keys sorted, no white space). */
  hash: z.string(),
});
export interface Receipt extends z.infer<typeof Receipt> {}
