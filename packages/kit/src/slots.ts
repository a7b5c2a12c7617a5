/** A limited number of places; who finds none waits in line. */
export interface Slots {
  /**
   * Gives a place, to be given back by the function it resolves to. `onWait` is told the position in line, 1 = next.
   * Rejects with the signal's reason; undefined where the line is full.
   */
  take(signal: AbortSignal, onWait?: (position: number) => void): Promise<(() => void) | undefined>;
  readonly busy: number;
  readonly waiting: number;
}

export const openSlots = (limit: number, maxWaiting: number): Slots => {
  let busy = 0;
  const line = new Set<() => void>();

  const giveBack = (): (() => void) => {
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const [next] = line;
      if (next === undefined) busy -= 1;
      else {
        // The place goes from hand to hand, so that nobody overtakes.
        line.delete(next);
        next();
      }
    };
  };

  return {
    get busy() {
      return busy;
    },
    get waiting() {
      return line.size;
    },
    take: async (signal, onWait) => {
      signal.throwIfAborted();
      if (busy < limit) {
        busy += 1;
        return giveBack();
      }
      if (line.size >= maxWaiting) return undefined;
      return new Promise((resolve, reject) => {
        const onAbort = (): void => {
          line.delete(enter);
          reject(signal.reason as Error);
        };
        const enter = (): void => {
          signal.removeEventListener('abort', onAbort);
          resolve(giveBack());
        };
        line.add(enter);
        signal.addEventListener('abort', onAbort, { once: true });
        onWait?.(line.size);
      });
    },
  };
};
