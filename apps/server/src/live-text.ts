import type { TextDelta } from '@cloutagent/contract';

/** Text of a model call that is streaming now; readers keep an offset into it. */
export interface LiveText {
  readonly step: string;
  readonly text: string;
  /** How often the text began anew, for each attempt at the call: an offset into another beginning means nothing. */
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

  add({ runId, step, text, snapshot }: TextDelta): void {
    const steps = this.#runs.get(runId) ?? new Map<string, LiveText>();
    this.#runs.set(runId, steps);
    const known = steps.get(step) ?? { text: '', beginning: 0 };
    const before = snapshot ? '' : known.text;
    const beginning = known.beginning + (snapshot ? 1 : 0);
    steps.set(step, { step, text: (before + text).slice(0, MAX_TEXT), beginning });
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
}
