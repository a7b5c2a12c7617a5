import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const RUNNER = fileURLToPath(new URL('./conformance/run.mjs', import.meta.url));

const runSuite = (): Promise<{ code: number | null; output: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [RUNNER], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (chunk: string): void => {
      output += chunk;
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });

// The suite is installed on demand, so this has minutes.
it('[T3.conformance, X6.tasks] passes the official conformance suite', async () => {
  const { code, output } = await runSuite();
  expect(output).toMatch(/2025-11-25: (\d+) of \1 scenarios/u);
  expect(output).toMatch(/2026-07-28: (\d+) of \1 scenarios/u);
  expect(code, output).toBe(0);
}, 600_000);
