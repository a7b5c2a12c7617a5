import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { linesOfProcesses } from '../scripts/support/coverage.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCE = join(ROOT, 'apps/cli/src/main.ts');

/** The number of the first line with this text, from 1. */
const lineWith = (text: string): number =>
  readFileSync(SOURCE, 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(text)) + 1;

it('what a process ran is told by the lines of its sources, and what it did not run is not', () => {
  const folder = mkdtempSync(join(tmpdir(), 'coverage-'));
  try {
    const env = { ...process.env, NODE_V8_COVERAGE: folder };
    expect(spawnSync(process.execPath, [join(ROOT, 'apps/cli/bin/clout.mjs'), '--version'], { env }).status).toBe(0);
    writeFileSync(join(folder, 'coverage-of-one-that-was-killed.json'), '{"result":[{"scr');
    const lines = linesOfProcesses(folder).get(SOURCE);
    expect(lines?.size).toBeGreaterThan(5);
    expect(lines).toContain(lineWith("new Command('clout')"));
    expect(lines).not.toContain(lineWith('output.fail(body)'));
    expect(lines).not.toContain(lineWith('exit = (await run(...args))'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
