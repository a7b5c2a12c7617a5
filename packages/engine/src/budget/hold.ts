import type { BudgetLevel } from '@cloutagent/contract';
import type { Clock } from '@cloutagent/kit';
import type { BudgetQueue, Ticket } from './queue.ts';
import { clampCall, exhausted, leastOf, shortageOf, wholeCall, type Call, type Reservation } from './reserve.ts';

/** Longest wait for money that others hold: as long as a call of theirs may last. */
const WAIT_MS = 120_000;

export interface HoldOptions {
  readonly queue: BudgetQueue;
  readonly levels: readonly BudgetLevel[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Makes the reservation durable. Throws BUDGET_EXHAUSTED with a `BudgetShortage` where a level does not hold it. */
  hold(reservation: Reservation): Promise<void>;
}

/**
 * Reserves a call on every level or not at all: whole where it fits, else with a shorter answer, else when others have
 * settled what they hold, in the order of asking.
 * Errors: BUDGET_EXHAUSTED where nobody holds enough to wait for, or waiting took too long; the signal's reason.
 */
export const holdCall = async (call: Call, options: HoldOptions): Promise<Reservation> => {
  const { queue, levels, clock, signal } = options;
  const until = clock.monotonic() + WAIT_MS;
  const crowded = queue.crowded(levels);
  let ticket: Ticket | undefined = crowded === undefined ? undefined : queue.join(crowded);
  try {
    for (;;) {
      await ticket?.turn(clock, signal, until);
      const late = clock.monotonic() >= until;
      const tried = await tryCall(call, options);
      if ('reservation' in tried) return tried.reservation;
      const { shortage } = tried;
      const hopeless = shortage.limitNanoUsd - shortage.spentNanoUsd < leastOf(call) || shortage.heldNanoUsd === 0;
      if (hopeless || late) throw exhausted(shortage, wholeCall(call).amountNanoUsd);
      // It waits where it is short.
      if (ticket?.isFor(shortage) === true) continue;
      ticket?.leave();
      ticket = queue.join(shortage);
    }
  } finally {
    ticket?.leave();
  }
};

type Tried = { readonly reservation: Reservation } | { readonly shortage: NonNullable<ReturnType<typeof shortageOf>> };

/** Whole, then as short as each level that refuses leaves it; every round is shorter than the one before. */
const tryCall = async (call: Call, { hold }: HoldOptions): Promise<Tried> => {
  let reservation = wholeCall(call);
  for (;;) {
    try {
      await hold(reservation);
      return { reservation };
    } catch (error) {
      const shortage = shortageOf(error);
      if (shortage === undefined) throw error;
      const { limitNanoUsd, spentNanoUsd, heldNanoUsd } = shortage;
      const shorter = clampCall(call, limitNanoUsd - spentNanoUsd - heldNanoUsd);
      if (shorter === undefined || shorter.maxTokens >= reservation.maxTokens) return { shortage };
      reservation = shorter;
    }
  }
};
