import { it } from 'vitest';
import { expectWhole, openPriceListProject, runUnderFire } from './support/kill.ts';

const MINUTES = 60_000;
const SEEDS = 30;

it.each(Array.from({ length: SEEDS }, (_, index) => 100 + index))(
  'kill -9 in every phase loses and repeats nothing (seed %i)',
  async (seed) => {
    using project = await openPriceListProject();
    await expectWhole(project, await runUnderFire(project, 12, seed));
  },
  10 * MINUTES,
);
