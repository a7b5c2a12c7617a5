import { defineConfig } from 'vitest/config';

const ci = process.env['CI'] === 'true';

/** Modules under test run from source; what a test spawns runs `dist/`. Slow parts (`*.slow.test.ts`) run under CI. */
export default defineConfig({
  resolve: { conditions: ['@cloutagent/source'] },
  ssr: { resolve: { conditions: ['@cloutagent/source'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.{ts,tsx}', 'test/**/*.test.ts'],
    setupFiles: ['test/support/seed.ts', 'test/support/freeze.ts'],
    exclude: [
      '**/node_modules/**',
      '**/dist/**',
      'test/interop/**',
      '**/*.soak.test.ts',
      ...(ci ? [] : ['**/*.slow.test.ts']),
    ],
    // Much of what the slow parts do is waiting for disks, sockets and processes: one worker would leave a core idle.
    ...(ci ? { maxWorkers: 2 } : {}),
    // Under CI each test shares two cores with one that is slow by design.
    testTimeout: ci ? 60_000 : 20_000,
    hookTimeout: ci ? 60_000 : 30_000,
    dangerouslyIgnoreUnhandledErrors: false,
  },
});
