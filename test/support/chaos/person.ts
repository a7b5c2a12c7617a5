import type { Client } from '@cloutagent/client';
import { codeOf, errorSpec, type Run } from '@cloutagent/contract';
import { pick } from '../random.ts';
import type { Told } from './check.ts';

/** What is asked while a server is away has no answer, and nobody knows what became of it. */
export const LOST = Symbol('lost');

export const orLost = async <T>(work: Promise<T>): Promise<T | typeof LOST> => {
  try {
    return await work;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'SERVER_UNREACHABLE' || code === 'SHUTTING_DOWN') return LOST;
    throw error;
  }
};

/** Somebody who starts runs, decides what they ask, and goes on with what stands still; remembers what was acknowledged. */
export class Person {
  readonly #client: Client;
  readonly #random: () => number;
  readonly #told = new Map<string, Told>();

  constructor(client: Client, random: () => number) {
    this.#client = client;
    this.#random = random;
  }

  told(run: string): Told {
    return this.#told.get(run) ?? { cancelled: false, decisions: new Map(), resumedAt: undefined, repeats: 0 };
  }

  #note(run: string, more: Partial<Told>): void {
    this.#told.set(run, { ...this.told(run), ...more });
  }

  async cancel(id: string): Promise<void> {
    try {
      const answer = await orLost(this.#client.call('runCancel', { params: { id } }));
      this.#note(id, { cancelled: answer === LOST ? 'maybe' : true });
    } catch (error) {
      // It has ended by itself.
      if (codeOf(error) !== 'RUN_NOT_RESUMABLE') throw error;
    }
  }

  /** Pauses a run and tells it to go on in the same breath, so that the pause may not be written yet. */
  async pauseAndResume(id: string): Promise<void> {
    this.#note(id, { resumedAt: undefined });
    try {
      if ((await orLost(this.#client.call('runPause', { params: { id } }))) === LOST) return;
      await this.#resume(id, {});
    } catch (error) {
      // It is not driven, or over.
      if (codeOf(error) !== 'RUN_NOT_RESUMABLE') throw error;
    }
  }

  async #resume(id: string, body: { readonly unknown?: 'repeat' | 'skip'; readonly budget?: string }): Promise<void> {
    // Before it is asked: what is lost may have been done.
    if (body.unknown === 'repeat') this.#note(id, { repeats: this.told(id).repeats + 1 });
    if ((await orLost(this.#client.call('runResume', { params: { id }, body }))) === LOST) return;
    const shown = await orLost(this.#client.call('runShow', { params: { id } }));
    if (shown !== LOST) this.#note(id, { resumedAt: shown.lastSeq });
  }

  /** Looks at every run once and does what it waits for. Says whether all of them are over. */
  async look(runs: readonly string[]): Promise<boolean> {
    let over = true;
    for (const id of runs) {
      const shown = await orLost(this.#client.call('runShow', { params: { id } }));
      if (shown === LOST) return false;
      const { run } = shown;
      if (['completed', 'failed', 'cancelled'].includes(run.status)) continue;
      over = false;
      await this.#help(run);
    }
    return over;
  }

  async #help({ id, status, reason }: Run): Promise<void> {
    if (status === 'waiting' || status === 'running') await this.#decide(id);
    if (status !== 'paused' && status !== 'interrupted') return;
    try {
      if (reason?.code === 'EFFECT_UNKNOWN')
        await this.#resume(id, { unknown: pick(this.#random, ['repeat', 'skip'] as const) });
      else await this.#resume(id, reason?.code === 'BUDGET_EXHAUSTED' ? { budget: '50' } : {});
    } catch (error) {
      if (codeOf(error) !== 'RUN_NOT_RESUMABLE') throw error;
    }
  }

  async #decide(run: string): Promise<void> {
    const page = await orLost(this.#client.call('approvalsList', { query: { run } }));
    if (page === LOST) return;
    for (const { id, digest } of page.items) {
      const decision = this.#random() < 0.9 ? 'approve' : 'deny';
      try {
        const answer = await orLost(
          this.#client.call('approvalDecide', { params: { id }, body: { decision, digest } }),
        );
        if (answer === LOST) return;
        const decisions = new Map([...this.told(run).decisions, [id, decision === 'approve' ? 'approved' : 'denied']]);
        this.#note(run, { decisions: decisions as Told['decisions'] });
      } catch (error) {
        // It was decided by a request whose answer was lost, or its run is over.
        const code = codeOf(error);
        if (code === undefined || errorSpec(code).exit !== 4) throw error;
      }
    }
  }
}
