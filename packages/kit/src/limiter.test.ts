import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clock } from './clock.ts';
import { openLimiter } from './limiter.ts';

const virtualClock = () => {
  let time = 0;
  const clock: Clock = { now: () => time, monotonic: () => time, sleep: () => Promise.resolve() };
  return { clock, advance: (ms: number) => (time += ms), at: () => time };
};

const RULE = { rate: 60, windowMs: 60_000, burst: 90 };

describe('limiter', () => {
  it('[T12.burst] grants the burst at once and then one for each second that passes', () => {
    const { clock, advance } = virtualClock();
    const limiter = openLimiter(RULE, clock);
    const granted = Array.from({ length: 200 }, () => limiter.take('a')).filter(({ allowed }) => allowed);
    expect(granted.length).toBe(90);
    expect(granted.map(({ remaining }) => remaining).slice(-3)).toEqual([2, 1, 0]);
    expect(limiter.take('a')).toMatchObject({ allowed: false, remaining: 0, retryAfterMs: 1000, resetMs: 90_000 });
    advance(999);
    expect(limiter.take('a').allowed).toBe(false);
    advance(1);
    expect([limiter.take('a').allowed, limiter.take('a').allowed]).toEqual([true, false]);
    expect(limiter.take('b')).toMatchObject({ allowed: true, remaining: 89 });
  });

  it('[H4] [T12.rate] never grants more than burst + rate·t in any span, and Retry-After suffices for exactly one', () => {
    const step = fc.record({ wait: fc.double({ min: 0, max: 5000, noNaN: true }), speed: fc.constantFrom(1, 0.5) });
    const rules = fc.record({
      rate: fc.integer({ min: 1, max: 600 }),
      windowMs: fc.integer({ min: 1000, max: 120_000 }),
      burst: fc.integer({ min: 1, max: 100 }),
    });
    fc.assert(
      fc.property(rules, fc.array(step, { minLength: 1, maxLength: 300 }), (rule, steps) => {
        const { clock, advance, at } = virtualClock();
        const limiter = openLimiter(rule, clock);
        const grants: number[] = [];
        for (const { wait, speed } of steps) {
          advance(wait);
          const verdict = limiter.take('k', speed);
          expect(verdict.remaining).toBeGreaterThanOrEqual(0);
          if (verdict.allowed) grants.push(at());
        }
        for (let from = 0; from < grants.length; from += 1) {
          for (let to = from; to < grants.length; to += 1) {
            const span = (grants[to] ?? 0) - (grants[from] ?? 0);
            expect(to - from + 1).toBeLessThanOrEqual(rule.burst + (rule.rate / rule.windowMs) * span + 1e-6);
          }
        }
        while (limiter.take('k').allowed);
        advance(limiter.peek('k').retryAfterMs);
        expect(limiter.take('k').allowed).toBe(true);
        expect(limiter.take('k').allowed).toBe(rule.rate / rule.windowMs >= 1);
      }),
      { numRuns: 200 },
    );
  });

  it('[T12.adaptive] refills at the speed that it is told, and a change of speed hands nothing back', () => {
    const { clock, advance } = virtualClock();
    const limiter = openLimiter(RULE, clock);
    while (limiter.take('a').allowed);
    expect(limiter.peek('a', 0.5)).toMatchObject({ allowed: false, retryAfterMs: 2000 });
    advance(1000);
    expect(limiter.take('a', 0.5).allowed).toBe(false);
    advance(1000);
    expect(limiter.take('a', 0.5).allowed).toBe(true);
    expect(limiter.take('a', 1).allowed).toBe(false);
  });

  it('keeps a bounded number of keys: newcomers of a flood share one bucket, empty ones make place', () => {
    const { clock, advance } = virtualClock();
    const limiter = openLimiter({ ...RULE, burst: 2 }, clock, 3);
    for (const key of ['a', 'b', 'c']) limiter.take(key);
    const flood = Array.from({ length: 100 }, (_, index) => limiter.take(`x${index}`).allowed);
    expect(flood.filter(Boolean).length).toBe(2);
    expect(limiter.take('a').allowed).toBe(true);
    expect(limiter.active()).toBe(4);
    advance(60_000);
    expect(limiter.active()).toBe(0);
    expect(limiter.take('new').allowed).toBe(true);
    expect(limiter.peek('new').remaining).toBe(1);
    limiter.giveBack('new');
    expect(limiter.peek('new').remaining).toBe(2);
    limiter.put('new', 2);
    expect(limiter.take('new').allowed).toBe(false);
  });
});
