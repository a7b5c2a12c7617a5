import { expect, it } from 'vitest';
import { runScript } from './support/runner.ts';

// The suite is installed on demand, so this has minutes.
it('[T3.conformance, X6.tasks] passes the official conformance suite', async () => {
  const { code, output } = await runScript('conformance/run.mjs', ['server']);
  expect(output).toMatch(/2025-11-25: (\d+) of \1 scenarios/u);
  expect(output).toMatch(/2026-07-28: (\d+) of \1 scenarios/u);
  expect(code, output).toBe(0);
}, 600_000);

it('[E5.conformance] our client passes the suites for clients, core and authorization', async () => {
  const { code, output } = await runScript('conformance/run.mjs', ['client']);
  expect(output).toMatch(/client core: (\d+) of \1 scenarios/u);
  expect(output).toMatch(/client auth: (\d+) of \1 scenarios/u);
  expect(code, output).toBe(0);
}, 600_000);
