import { expect, it } from 'vitest';
import { runScript } from './support/runner.ts';

// The clients are installed on demand, so this has minutes.
it('[T3.stdio, T3.stdio-eras, T3.streamable, T3.legacy-sse, T3.claude-code, X6.one-server] serves the clients of others', async () => {
  const { code, output } = await runScript('interop/run.mjs');
  expect(output).toMatch(/^(\d+) of \1 clients$/mu);
  // Its program is there for some systems only; where it is not, the run says so.
  expect(output).toMatch(/^(?:ok {6}Claude Code stdio\nok {6}Claude Code HTTP|skipped Claude Code: .+)$/mu);
  expect(code, output).toBe(0);
}, 600_000);
