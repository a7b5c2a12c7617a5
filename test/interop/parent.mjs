import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createPool } from '@cloutagent/mcp';
import { systemClock } from '@cloutagent/kit';

// node parent.mjs FILE MARKER: holds the servers of a file and has called each, until it is told to close or is killed.

const [, , file, marker] = process.argv;
const servers = JSON.parse(readFileSync(file, 'utf8')).map(({ target, call }) => ({
  call,
  target: { ...target, env: { ...target.env, INTEROP_MARKER: marker } },
}));
const pool = createPool({
  env: process.env,
  clock: systemClock,
  log: () => undefined,
  random: Math.random,
  servers: {
    find: async ({ id }) => ({ target: servers.find(({ target }) => target.id === id).target, idleMs: 0 }),
    pins: () => undefined,
    pin: () => undefined,
  },
});
const lease = await pool.open(servers.map(({ target }) => ({ id: target.id })));
await Promise.all(
  servers.map(({ target, call: [tool, input] }) =>
    lease.call(lease.tool(`${target.id}:${tool}`), input, {
      signal: AbortSignal.timeout(60_000),
      idempotencyKey: randomUUID(),
    }),
  ),
);
process.stdout.write('ready\n');
await once(process.stdin, 'data');
await pool.close();
process.exit(0);
