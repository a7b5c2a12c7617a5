import { codeOf } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { manualClock } from './harness.ts';
import { openLoginGuard } from './login-guard.ts';

/** Pairs of an address and a token that are remembered. */
const BOUND = 2000;

describe('[T16.caches] tokens that were found good', () => {
  it('are remembered for each address, the last ones that came', () => {
    const guard = openLoginGuard(manualClock());
    const isKnown = (address: string): boolean => {
      const known = guard.enter(address, 'digest');
      if (!known) guard.pass(address, 'digest');
      return known;
    };
    const addresses = Array.from({ length: BOUND + 1 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
    for (const address of addresses) expect(isKnown(address), address).toBe(false);
    // The newest is known, the oldest made place for it and is looked at anew.
    expect([isKnown(addresses.at(-1) ?? ''), isKnown(addresses[0] ?? '')]).toEqual([true, false]);
    expect(isKnown(addresses[0] ?? '')).toBe(true);
  });

  it('are known where they came from, and another token is not', () => {
    const guard = openLoginGuard(manualClock());
    guard.enter('10.0.0.1', 'good');
    guard.pass('10.0.0.1', 'good');
    expect(guard.enter('10.0.0.2', 'good')).toBe(false);
    for (let count = 0; count < 5; count += 1) expect(guard.enter('10.0.0.1', `bad-${count}`)).toBe(false);
    let told: unknown;
    try {
      guard.enter('10.0.0.1', 'bad-5');
    } catch (error) {
      told = error;
    }
    expect(codeOf(told)).toBe('RATE_LIMIT_EXCEEDED');
    expect(guard.enter('10.0.0.1', 'good')).toBe(true);
  });
});
