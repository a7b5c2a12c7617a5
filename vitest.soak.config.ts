import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** npm run soak: what takes too long for CI, one file after another. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['{packages,apps}/*/src/**/*.soak.test.ts', 'test/**/*.soak.test.ts'],
    exclude: [],
    fileParallelism: false,
  },
});
