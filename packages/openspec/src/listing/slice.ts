/** Lets the event loop go round after this much work, so that a large project delays nobody for long. */
const SLICE_MS = 8;

/** `isOver` is cheap; `pause` lets others run and begins the next slice. */
export const sliced = (monotonic: () => number): { isOver: () => boolean; pause: () => Promise<void> } => {
  let since = monotonic();
  return {
    isOver: () => monotonic() - since > SLICE_MS,
    pause: async () => {
      await nextTurn();
      since = monotonic();
    },
  };
};

export const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });
