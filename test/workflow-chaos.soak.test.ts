import { expect, it } from 'vitest';
import { runChaos } from './support/chaos/chaos.ts';

const SEEDS = 100;
const FIRST = 1_001;

it.each(Array.from({ length: SEEDS }, (_, n) => FIRST + n))(
  '[D10] workflows in chaos, seed %i',
  async (seed) => {
    const { problems, ended, blows, events } = await runChaos(seed);
    process.stdout.write(`${seed}: ${JSON.stringify(ended)} ${events} events; ${blows.join(', ')}\n`);
    expect(problems, blows.join(', ')).toEqual([]);
  },
  180_000,
);
