import { fileURLToPath } from 'node:url';
import { systemClock } from '@cloutagent/kit';
import { expect, test } from 'vitest';
import { openStdioServer } from './stdio.ts';

const FAULTY = fileURLToPath(new URL('fixtures/faulty-server.mjs', import.meta.url));

test('a server that does not even answer a ping after a timed-out call is ended', async () => {
  const connection = await openStdioServer(
    {
      transport: 'stdio',
      id: 'faulty',
      command: process.execPath,
      args: [FAULTY, 'ok'],
      env: {},
      cwd: process.cwd(),
      callMs: 100,
    },
    { env: process.env, clock: systemClock, log: () => {} },
  );
  const options = { signal: new AbortController().signal, idempotencyKey: 'k' };
  await expect(connection.call('deaf', {}, options)).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
  expect(await connection.closed).toContain('ended');
  await expect(connection.call('echo', { text: 'x' }, options)).rejects.toMatchObject({
    code: 'MCP_CONNECTION_FAILED',
  });
});
