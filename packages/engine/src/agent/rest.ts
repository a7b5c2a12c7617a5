import type { StepRow } from '@cloutagent/contract';
import type { ModelCallError } from '../model/port.ts';
import type { Drive } from '../workflow/drive.ts';
import type { ModelStep } from './model-attempt.ts';

/** Rests of one step: a server that asks for more of them is a matter for a person. */
const MAX_RESTS = 5;

/** Who asks for more does not speak of a rate any more. */
const LONGEST_REST_MS = 24 * 3_600_000;

const keyOf = ({ key }: ModelStep, nth: number): string => `${key}/rest[${nth}]`;

/** Whether the run rests for as long as the server asks, instead of that the call fails. */
export const mayRest = (drive: Drive, { retryAfterMs = 0 }: ModelCallError, rests: number): boolean =>
  drive.rest !== undefined && rests < MAX_RESTS && retryAfterMs <= LONGEST_REST_MS;

/** What makes a rest outlive the process; it is committed with the failure of the call. */
export const restRow = (drive: Drive, step: ModelStep, nth: number, until: number): StepRow => {
  const now = drive.clock.now();
  return {
    key: `${keyOf(step, nth)}/due`,
    kind: 'wait',
    name: 'due',
    inputHash: step.conversation.hash,
    input: null,
    output: { until },
    isError: false,
    usage: null,
    costNanoUsd: 0,
    startedAt: now,
    endedAt: now,
  };
};

/** Waits until the time has come. */
export const rest = async (drive: Drive, step: ModelStep, nth: number, until: number): Promise<void> => {
  await drive.rest?.(`${keyOf(step, nth)}/wait`, until);
};

/** Waits for what is left of the rests of earlier drivers; gives how many there were. */
export const restOn = async (drive: Drive, step: ModelStep): Promise<number> => {
  for (let nth = 0; ; nth += 1) {
    const row = drive.finished(`${keyOf(step, nth)}/due`, step.conversation.hash);
    if (row === undefined) return nth;
    // Written above.
    await rest(drive, step, nth, (row.output as { readonly until: number }).until);
  }
};
