/**
 * How much of a run is at work: nodes that compute or call hold one of its slots, nodes that wait hold none. When nothing
 * is at work any more, the run can be put away.
 */
export class Activity {
  readonly #slots: number;
  #active = 0;
  readonly #queue: (() => void)[] = [];
  #onIdle: (() => void) | undefined;

  constructor(slots: number) {
    this.#slots = slots;
  }

  /** Resolves with a slot. */
  async enter(): Promise<void> {
    if (this.#active < this.#slots) {
      this.#active += 1;
      return;
    }
    // Bounded by the nodes of the document and the items of its maps.
    await new Promise<void>((resolve) => {
      this.#queue.push(resolve);
    });
  }

  leave(): void {
    const next = this.#queue.shift();
    if (next !== undefined) {
      // The slot is handed over, so that nobody slips in between.
      next();
      return;
    }
    this.#active -= 1;
    this.#look();
  }

  /** Gives the slot back for as long as the work waits for something else. */
  async outside<T>(work: () => Promise<T>): Promise<T> {
    this.leave();
    try {
      return await work();
    } finally {
      await this.enter();
    }
  }

  /** Resolves as soon as nothing is at work; what follows from what was just finished has begun by then. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      this.#look();
    });
  }

  #look(): void {
    if (this.#active > 0 || this.#onIdle === undefined) return;
    // A node that has ended starts its successors in the promises that follow; all of them have run before this does.
    setImmediate(() => {
      if (this.#active > 0) return;
      const onIdle = this.#onIdle;
      this.#onIdle = undefined;
      onIdle?.();
    });
  }
}
