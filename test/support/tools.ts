import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';

/** What some tests need beside Node, with the word for whoever lacks it. */
const TOOLS = {
  chromium: { probe: ['chromium', '--version'], get: 'apt-get install chromium' },
} as const;

const works = ([command, ...args]: readonly [string, ...string[]]): boolean => {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/**
 * For `it.skipIf(missing('chromium'))`. What is missing is said at the end of `npm test`; with CI=true it throws,
 * because a test that is skipped there is a hole.
 */
export const missing = (tool: keyof typeof TOOLS): boolean => {
  const { probe, get } = TOOLS[tool];
  if (works(probe)) return false;
  if (process.env['CI'] === 'true') throw new Error(`CI needs ${tool}: ${get}`);
  const file = process.env['CLOUT_TEST_MISSING'];
  if (file !== undefined) appendFileSync(file, `what needs ${tool}, which is not here (${get})\n`);
  return true;
};
