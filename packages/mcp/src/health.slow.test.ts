import { fileURLToPath } from 'node:url';
import { systemClock } from '@cloutagent/kit';
import { expect, test } from 'vitest';
import { createPool } from './pool.ts';

const FAULTY = fileURLToPath(new URL('fixtures/faulty-server.mjs', import.meta.url));

test('[E6.health] a server that answers no ping is replaced', async () => {
  await using pool = createPool({
    env: process.env,
    clock: systemClock,
    log: () => {},
    random: () => 0,
    servers: {
      find: async () => ({
        idleMs: 0,
        target: {
          transport: 'stdio',
          id: 'a',
          command: process.execPath,
          args: [FAULTY, 'ok'],
          env: {},
          cwd: process.cwd(),
          toolMs: { deaf: 30_000 },
        },
      }),
      pins: () => undefined,
      pin: () => undefined,
    },
  });
  await using lease = await pool.open([{ id: 'a' }]);
  const call = (name: string, signal = new AbortController().signal) =>
    lease.call(lease.tool(`a:${name}`), {}, { signal, idempotencyKey: name });
  const before = (await call('pid')).content[0]?.['text'];
  // From here on it answers no ping; the call itself is given up.
  await expect(call('deaf', AbortSignal.timeout(100))).rejects.toThrow(/timeout/iu);
  await pool.check();
  expect(pool.reports()[0]?.lastError ?? '').toMatch(/does not answer|^$/u);
  expect((await call('pid')).content[0]?.['text']).not.toBe(before);
});
