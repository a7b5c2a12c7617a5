import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

it('[E17.coverage] the tests run nine lines of ten', async () => {
  const measuring = spawn(process.execPath, [`${ROOT}scripts/coverage.mjs`], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  measuring.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [code] = (await once(measuring, 'close')) as [number | null];
  process.stdout.write(output.slice(-1500));
  expect(Number(/([\d.]+) % of \d+ lines {2}all/u.exec(output)?.[1])).toBeGreaterThanOrEqual(90);
  expect(code).toBe(0);
}, 3_600_000);
