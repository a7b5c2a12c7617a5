import { describe, expect, it } from 'vitest';
import { lookAndEdit, PLACES } from '../fixtures/swap.ts';

/** In each of four places: 100,000 in all. */
const COUNT = 25_000;

describe('[F9] [T8.links] a process that swaps folders for links that lead out', { timeout: 3_600_000 }, () => {
  it.each(Object.entries(PLACES))(
    `in the place of %s: nothing outside is read or written, in ${COUNT} looks and edits`,
    async (_, places) => {
      const { swaps, ends, leaks, isOutsideUntouched } = await lookAndEdit(places, COUNT);
      expect(leaks).toEqual([]);
      expect(isOutsideUntouched).toBe(true);
      expect(swaps).toBeGreaterThan(100);
      expect(ends.get('done') ?? 0).toBeGreaterThan(5);
      expect((ends.get('FORBIDDEN') ?? 0) + (ends.get('CHANGE_NOT_FOUND') ?? 0)).toBeGreaterThan(5);
    },
  );
});
