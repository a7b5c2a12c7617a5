import { expect, it } from 'vitest';
import { runChaos } from './support/chaos/chaos.ts';

it.each([2, 3])(
  '[D10] workflows while the server dies and freezes, clocks jump, and model, tools and database fail: one result a step, in the order of the graph, no run lost, the ledger is the bill (seed %i)',
  async (seed) => {
    const { problems, ended, blows } = await runChaos(seed);
    expect(problems, blows.join(', ')).toEqual([]);
    expect(ended['completed']).toBeGreaterThan(0);
  },
  240_000,
);
