import type { IncomingMessage } from 'node:http';
import { systemClock, systemRandom } from '@cloutagent/kit';
import { expect, it } from 'vitest';
import { authenticate, tokenTable } from './authenticate.ts';

const TOKEN = 'correct-horse-battery-staple-0123456789abcdef';
const quiet = {
  enter: () => true,
  pass: () => undefined,
  tolerate: () => undefined,
  fail: () => undefined,
  stats: () => ({ attempts: 0, failures: 0, blocked: 0 }),
};
const options = {
  table: tokenTable({ user: [TOKEN], admin: [] }),
  loopbackBind: true,
  required: true,
  open: false,
  oldCookies: false,
  guard: quiet,
  address: '127.0.0.1',
};

/** Milliseconds of 20 refusals: one alone is shorter than the clock's own noise. */
const refusals = (token: string): number => {
  const request = {
    headers: { authorization: `Bearer ${token}` },
    socket: { remoteAddress: '127.0.0.1' },
  } as unknown as IncomingMessage;
  const site = { host: 'localhost', loopbackHost: true, origin: undefined, crossOrigin: false };
  const from = systemClock.monotonic();
  for (let count = 0; count < 20; count += 1) {
    try {
      authenticate(request, site, options);
    } catch {
      // What is measured.
    }
  }
  return systemClock.monotonic() - from;
};

it(
  '[H1] [T5.constant-time] time does not tell how much of a token is right (Welch, |t| < 4.5)',
  { timeout: 60_000 },
  () => {
    const near = `${TOKEN.slice(0, -1)}X`;
    const far = `X${TOKEN.slice(1)}`;
    const times: readonly [number[], number[]] = [[], []];
    for (let count = 0; count < 3000; count += 1) refusals(near);
    // In random order, so that whatever else the machine does falls on both alike.
    while (times[0].length + times[1].length < 10_000) {
      const pick = systemRandom() < 0.5 ? 0 : 1;
      times[pick].push(refusals(pick === 0 ? near : far));
    }
    // Pauses of the machine are not the comparison; both sides are cut at the same time.
    const cut = [...times[0], ...times[1]].toSorted((a, b) => a - b)[9000] ?? 0;
    const [a, b] = times.map((all) => {
      const kept = all.filter((time) => time < cut);
      const mean = kept.reduce((sum, time) => sum + time, 0) / kept.length;
      const variance = kept.reduce((sum, time) => sum + (time - mean) ** 2, 0) / (kept.length - 1);
      return { mean, error: variance / kept.length };
    });
    const t = ((a?.mean ?? NaN) - (b?.mean ?? NaN)) / Math.sqrt((a?.error ?? NaN) + (b?.error ?? NaN));
    expect(Math.abs(t)).toBeLessThan(4.5);
  },
);
