import * as z from 'zod';
import { Money } from './money.ts';

/** The price tag of a change. `ceiling` becomes the limit of the run and of each task unless `--budget` names another, so it cannot be exceeded. */
export const Plan = z.object({
  format: z.literal(1),
  slug: z.string(),
  model: z.string(),
  simulated: z.boolean(),
  /** Date of the price table. */
  pricesAsOf: z.string(),
  tasks: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      checks: z.int(),
      expectedCalls: z.int(),
      /** At least: no earlier task or run cost less; nothing where none is known. */
      min: Money.optional(),
      expected: Money,
      ceiling: Money,
    }),
  ),
  min: Money.optional(),
  expected: Money,
  ceiling: Money,
  /** How the figures came about, one sentence a line. */
  derivation: z.array(z.string()),
  budget: z.object({ limit: Money.nullable(), spent: Money, held: Money, free: Money.nullable() }),
  warnings: z.array(z.string()),
});
export interface Plan extends z.infer<typeof Plan> {}
