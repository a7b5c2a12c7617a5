import type { ApprovalAnswer } from '@cloutagent/contract';

/** Where what people decide arrives. */
export interface PeoplePort {
  /** How long a question of a server waits, in milliseconds: as long it holds its call, and the call its place. */
  readonly patienceMs: number;
  /**
   * Calls back with the decision about an approval of a run, as soon as there is one; what it gives ends the listening. It is
   * asked before the approval is written, so that no decision comes too early.
   */
  onDecision(runId: string, approval: string, decided: (answer: ApprovalAnswer) => void): () => void;
}
