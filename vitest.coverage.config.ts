import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** npm run coverage: what scripts/coverage.mjs adds up; it says where, in the variable, what child processes ran is written. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    setupFiles: [base.test?.setupFiles ?? [], 'test/support/child-coverage.ts'].flat(),
    coverage: {
      enabled: true,
      provider: 'v8',
      include: ['packages/*/src/**/*.ts', 'apps/*/src/**/*.{ts,tsx}'],
      exclude: ['**/*.test.{ts,tsx}', '**/testing/**'],
      reporter: ['json'],
      reportOnFailure: true,
    },
  },
});
