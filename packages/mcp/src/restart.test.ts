import { expect, test } from 'vitest';
import { createRestartGuard } from './restart.ts';

test('[E11] a lost server is started again at once, then after ever longer waits, and five times a minute at most', () => {
  const guard = createRestartGuard(() => 1);
  expect(guard.lost(0)).toEqual({ waitMs: 0 });
  const waits = [1_000, 2_000, 3_000, 4_000].map((now) => guard.lost(now));
  expect(waits).toEqual([250, 500, 1_000, 2_000].map((waitMs) => ({ waitMs })));
  expect(guard.recent(6_000)).toBe(5);
  expect(guard.lost(10_000)).toEqual({ quarantineMs: 50_000 });
  expect(guard.lost(60_000)).toMatchObject({ waitMs: expect.any(Number) as number });
});
