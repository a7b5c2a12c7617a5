/** Where two texts differ: `old` begins at the character `start` of the one, `fresh` at that of the other. */
export interface Stretch {
  readonly start: number;
  readonly old: string;
  readonly fresh: string;
}

export const stretchOf = (before: string, after: string): Stretch => {
  const shorter = Math.min(before.length, after.length);
  const start = alike((to, from) => before.slice(from, to) === after.slice(from, to), shorter);
  const end = (text: string, to: number, from: number): string => text.slice(text.length - to, text.length - from);
  const tail = alike((to, from) => end(before, to, from) === end(after, to, from), shorter - start);
  return {
    start,
    old: before.slice(start, before.length - tail),
    fresh: after.slice(start, after.length - tail),
  };
};

/**
 * Length of what is the same, at most `limit`: `isSame(to, from)` compares the part between two distances. In halves,
 * since whole parts are compared at once, and a large specification has 100,000 characters.
 */
const alike = (isSame: (to: number, from: number) => boolean, limit: number): number => {
  let same = 0;
  for (let most = limit; same < most;) {
    const middle = same + Math.ceil((most - same) / 2);
    if (isSame(middle, same)) same = middle;
    else most = middle - 1;
  }
  return same;
};
