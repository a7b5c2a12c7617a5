import { approvalTopic, type Approval, type ApprovalAnswer } from '@cloutagent/contract';
import type { PeoplePort } from '@cloutagent/engine';
import type { Store } from '@cloutagent/store';
import type { Log } from './log.ts';

/** A question in the middle of a call holds the call, its server and a place among the runs: an hour, not days. */
const PATIENCE_MS = 60 * 60_000;

/** Brings the decisions of people to the calls of this process that wait for them. */
export class People implements PeoplePort {
  readonly patienceMs: number;
  readonly #store: Pick<Store, 'signals'>;
  readonly #log: Log;
  readonly #waiting = new Map<string, (answer: ApprovalAnswer) => void>();

  constructor(store: Pick<Store, 'signals'>, log: Log, patienceMs = PATIENCE_MS) {
    this.#store = store;
    this.#log = log;
    this.patienceMs = patienceMs;
  }

  onDecision(runId: string, approval: string, decided: (answer: ApprovalAnswer) => void): () => void {
    this.#waiting.set(approval, decided);
    void this.#look(runId, approval);
    return () => void this.#waiting.delete(approval);
  }

  /** Tells the call that waits for a decided approval; false where none does. */
  decided({ id, status, decidedBy, reason, edited }: Approval): boolean {
    const decision = status === 'approved' ? 'approve' : 'deny';
    return this.#tell(id, { decision, by: decidedBy ?? '', reason, edited });
  }

  #tell(approval: string, answer: ApprovalAnswer): boolean {
    const waiting = this.#waiting.get(approval);
    waiting?.(answer);
    return waiting !== undefined;
  }

  /** Somebody may have decided while nobody waited, as after a crash. */
  async #look(runId: string, approval: string): Promise<void> {
    try {
      const signals = await this.#store.signals(runId);
      const found = signals.find(({ topic }) => topic === approvalTopic(approval));
      // Written by the store when somebody decided.
      if (found !== undefined) this.#tell(approval, found.body as ApprovalAnswer);
    } catch (error) {
      this.#log('warn', 'decisions could not be read', { runId, approval, error });
    }
  }
}
