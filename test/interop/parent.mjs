import { once } from 'node:events';
import { createPool } from '@cloutagent/mcp';
import { systemClock } from '@cloutagent/kit';

// node parent.mjs FOLDER MARKER: holds a server, and the same one through npx, until it is told to close or is killed.

const [, , folder, marker] = process.argv;
const target = (id, command, args) => ({
  transport: 'stdio',
  id,
  command,
  args,
  env: { INTEROP_MARKER: marker, MEMORY_FILE_PATH: '/dev/null' },
  cwd: folder,
  startMs: 60_000,
});
const targets = {
  plain: target('plain', process.execPath, ['node_modules/@modelcontextprotocol/server-memory/dist/index.js']),
  wrapped: target('wrapped', 'npx', ['--no-install', 'mcp-server-memory']),
};
const pool = createPool({
  env: process.env,
  clock: systemClock,
  log: () => undefined,
  random: Math.random,
  servers: {
    find: async ({ id }) => ({ target: targets[id], idleMs: 0 }),
    pins: () => undefined,
    pin: () => undefined,
  },
});
await pool.open([{ id: 'plain' }, { id: 'wrapped' }]);
process.stdout.write('ready\n');
await once(process.stdin, 'data');
await pool.close();
process.exit(0);
