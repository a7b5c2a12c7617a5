import { expect, it } from 'vitest';
import { runScript } from './support/runner.ts';

// The suite is installed on demand, so this has minutes.
it('[T3.conformance, X6.tasks] passes the official conformance suite', async () => {
  const { code, output } = await runScript('conformance/run.mjs');
  expect(output).toMatch(/2025-11-25: (\d+) of \1 scenarios/u);
  expect(output).toMatch(/2026-07-28: (\d+) of \1 scenarios/u);
  expect(code, output).toBe(0);
}, 600_000);
