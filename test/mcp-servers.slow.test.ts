import { expect, it } from 'vitest';
import { runScript } from './support/runner.ts';

// The servers are installed on demand, so this has minutes.
it('[E5.stdio, E5.http, E5.crash, E5.tree, E6.pool, E14.filesystem, E14.everything, E14.memory, E14.sequential-thinking, E14.databases, E14.git, E14.playwright, E9] real servers are connected at once, called, used by agents, killed in the middle of a call, and gone after the end', async () => {
  const { code, output } = await runScript('interop/pool.mjs');
  expect(output).toMatch(/11 servers connected at once/u);
  expect(output).not.toMatch(/^skipped/mu);
  expect(output).toMatch(/^all good$/mu);
  expect(code, output).toBe(0);
}, 600_000);
