import type { BudgetLevel } from '@cloutagent/contract';
import type { Clock } from '@cloutagent/kit';
import type { Journal } from '../workflow/journal.ts';

/** Somebody else may settle too, in another process, and tells nobody here. */
const POLL_MS = 1000;

/** Who waits for money that others hold: one line a budget, first come first served. */
export class BudgetQueue {
  readonly #lines = new Map<string, Ticket[]>();

  /** Whether somebody waits at a budget: who comes later stands behind, or small calls would pass large ones for ever. */
  crowded(levels: readonly BudgetLevel[]): BudgetLevel | undefined {
    return levels.find((level) => this.#lines.has(nameOf(level)));
  }

  /** Takes a place at the end of a line. */
  join(level: BudgetLevel): Ticket {
    const name = nameOf(level);
    const line = this.#lines.get(name) ?? [];
    this.#lines.set(name, line);
    const ticket = new Ticket(name, {
      isFirst: () => line[0] === ticket,
      leave: () => {
        const at = line.indexOf(ticket);
        if (at < 0) return;
        line.splice(at, 1);
        if (line.length === 0) this.#lines.delete(name);
        else if (at === 0) line[0]?.wake();
      },
    });
    line.push(ticket);
    return ticket;
  }

  /** Money came back to these budgets: whoever is first in line looks again. */
  freed(levels: readonly BudgetLevel[]): void {
    if (this.#lines.size === 0) return;
    for (const level of levels) this.#lines.get(nameOf(level))?.[0]?.wake();
  }
}

/** A place in a line. */
export class Ticket {
  readonly #name: string;
  readonly #line: { isFirst(): boolean; leave(): void };
  #woken = false;
  #wake: (() => void) | undefined;

  constructor(name: string, line: { isFirst(): boolean; leave(): void }) {
    this.#name = name;
    this.#line = line;
  }

  isFor(level: BudgetLevel): boolean {
    return nameOf(level) === this.#name;
  }

  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /**
   * Resolves when it is this one's turn to look again: woken, or a second went by and it is the first in line; or at the
   * monotonic time `until`. Rejects with the signal's reason.
   */
  async turn(clock: Clock, signal: AbortSignal, until: number): Promise<void> {
    let waited = false;
    while (!this.#woken && !(waited && this.#line.isFirst()) && clock.monotonic() < until) {
      const timer = new AbortController();
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      try {
        await Promise.race([woken, clock.sleep(POLL_MS, AbortSignal.any([timer.signal, signal]))]);
      } finally {
        timer.abort(new Error('woken'));
        this.#wake = undefined;
      }
      waited = true;
    }
    signal.throwIfAborted();
    this.#woken = false;
  }

  leave(): void {
    this.#line.leave();
  }
}

const nameOf = ({ scope, id }: BudgetLevel): string => `${scope} ${id}`;

/** All drives over one journal share its lines. */
const queues = new WeakMap<Journal, BudgetQueue>();

export const queueOf = (journal: Journal): BudgetQueue => {
  const known = queues.get(journal);
  if (known !== undefined) return known;
  const queue = new BudgetQueue();
  queues.set(journal, queue);
  return queue;
};
