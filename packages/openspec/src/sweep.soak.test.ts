import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { beginSweep, endSweep, failEverywhere, OPERATIONS } from '../fixtures/sweep.ts';

/** Errors of the system beside those of sweep.slow.test.ts. */
const CODES = {
  EROFS: 'STORAGE_READONLY',
  EDQUOT: 'STORAGE_FULL',
  EMFILE: 'STORAGE_FAILED',
  EACCES: 'STORAGE_READONLY',
};

beforeAll(beginSweep);
afterAll(endSweep);

describe.runIf(process.platform === 'linux')('every system call', { timeout: 1_800_000 }, () => {
  it.each(OPERATIONS)(
    `[F4] %s: ${Object.keys(CODES).join(', ')} there are told, and the process goes on`,
    async (operation) => {
      const told = await failEverywhere(operation, CODES);
      for (const code of new Set(Object.values(CODES))) expect(told.get(code), code).toBeGreaterThan(5);
    },
  );
});
