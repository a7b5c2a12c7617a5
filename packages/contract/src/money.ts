import * as z from 'zod';
import { USD } from './amount.ts';

/**
 * Money is an integer of nano-dollars (1 USD = 1,000,000,000) everywhere but in what a person reads.
 * Safe up to 9.0 million dollars in a JavaScript number. In JSON it is both: `{usd: "0.001200000", nanoUsd: 1200000}`.
 */
export const Money = z.object({ usd: z.string(), nanoUsd: z.int() });
export interface Money extends z.infer<typeof Money> {}

/** An amount in dollars as a person writes it, below $1,000,000; quoted in YAML, so that it keeps every digit. */
export const UsdText = z.string().regex(USD, 'must be an amount in dollars below 1000000, such as "0.50"');
