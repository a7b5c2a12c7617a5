import type { TextDelta } from '@cloutagent/contract';

/** Text of a model call that is streaming now; readers keep an offset into it. */
export interface LiveText {
  readonly step: string;
  readonly text: string;
  /** The attempt at the call, as its `model.started` has it; 0 where none was told. */
  readonly attempt: number;
  /** How often the text of this attempt began anew: an offset into another beginning means nothing. */
  readonly beginning: number;
}

/**
 * Text of one call that is kept for readers that join late. A model's answer is bounded by its `max_tokens`
 * (128,000 tokens, about four bytes each), so this is a guard, not a limit that is met.
 */
const MAX_TEXT = 1_000_000;

/** What streams in the runs of this process, by run and step; bounded by the calls that are under way. */
export class LiveTexts {
  readonly #runs = new Map<string, Map<string, LiveText>>();

  /** An attempt at a call has begun: what others said is gone. */
  begin(runId: string, step: string, attempt: number): void {
    this.#of(runId).set(step, { step, text: '', attempt, beginning: 0 });
  }

  add({ runId, step, text, snapshot }: TextDelta): void {
    const steps = this.#of(runId);
    const known = steps.get(step) ?? { text: '', attempt: 0, beginning: 0 };
    const anew = snapshot && known.text !== '';
    const before = snapshot ? '' : known.text;
    const beginning = known.beginning + (anew ? 1 : 0);
    steps.set(step, { step, text: (before + text).slice(0, MAX_TEXT), attempt: known.attempt, beginning });
  }

  of(runId: string): readonly LiveText[] {
    return [...(this.#runs.get(runId)?.values() ?? [])];
  }

  /** Of one step, or of the whole run. */
  forget(runId: string, step?: string): void {
    const steps = this.#runs.get(runId);
    if (step !== undefined) steps?.delete(step);
    if (step === undefined || steps?.size === 0) this.#runs.delete(runId);
  }

  #of(runId: string): Map<string, LiveText> {
    const steps = this.#runs.get(runId) ?? new Map<string, LiveText>();
    this.#runs.set(runId, steps);
    return steps;
  }
}
