import { systemClock } from '@cloutagent/kit';
import { describe, expect, it } from 'vitest';
import { createAnthropicModel } from '../model/anthropic.ts';
import { fail, KEY, serve } from '../model/messages-server.fake.ts';
import { loadPrices } from '../model/price.ts';
import { openMemoryJournal } from '../workflow/memory-journal.ts';
import { CONFIG } from './agents.fake.ts';
import { openAgents } from './agents.ts';

/** Executions against a server that answers everything with one status; the clock of the agents stands still. */
const storm = async (status: number, executions: number): Promise<number> => {
  using server = await serve(fail(status));
  const model = createAnthropicModel({ baseUrl: server.url, apiKey: KEY, clock: systemClock });
  const agents = openAgents({
    journal: openMemoryJournal(systemClock),
    clock: systemClock,
    random: () => 0,
    model: () => model,
    openTools: () => Promise.reject(new Error('no tools')),
    prices: loadPrices(),
    simulated: false,
    projectId: 'p',
    maxConcurrent: 20,
  });
  await agents.createAgent(CONFIG);
  const results = await Promise.all(
    Array.from({ length: executions }, () => agents.executeAgent({ id: CONFIG.id }, 'Hi')),
  );
  expect(results.every((result) => result.status === 'failed')).toBe(true);
  return server.seen.count;
};

/** What a quiet process may repeat beside its tenth, and what comes back of it while the storm lasts. */
const RESERVE = 25;

describe('[D7] a storm of failures', () => {
  it('of 429 is answered with at most a tenth more calls, and with four a step', async () => {
    const calls = await storm(429, 400);
    expect(calls).toBeGreaterThanOrEqual(400);
    expect(calls).toBeLessThanOrEqual(440 + RESERVE);
    expect(await storm(429, 1)).toBe(4);
  });

  it.each([500, 529])('of %i ends at the circuit, so that most executions send nothing', async (status) => {
    // Five in a row open it; those that were under way then are the rest.
    expect(await storm(status, 200)).toBeLessThanOrEqual(5 + 20);
  });
});
