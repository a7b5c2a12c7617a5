import { describe, expect, it } from 'vitest';
import { expectWhole, openPriceListProject, runBesideServerUnderFire, runUnderFire } from './support/kill.ts';

const MINUTES = 60_000;

describe('kill -9', () => {
  it.each([1, 2])(
    '[X2.kill X2.no-repeat X1.ledger-exact X1.unknown X2.child-ends X7.owned] ten times in every phase loses and repeats nothing (seed %i)',
    async (seed) => {
      using project = await openPriceListProject();
      const kills = await runUnderFire(project, 10, seed);
      expect(kills).toBeGreaterThanOrEqual(8);
      await expectWhole(project, kills);
    },
    5 * MINUTES,
  );

  it(
    '[X2.kill-server] of clout run beside clout up loses and repeats nothing',
    async () => {
      using project = await openPriceListProject();
      const kills = await runBesideServerUnderFire(project, 5, 3);
      expect(kills).toBeGreaterThanOrEqual(4);
      await expectWhole(project, kills);
    },
    5 * MINUTES,
  );
});
