import { fileURLToPath } from 'node:url';
import { codeOf, type CloutError, type McpToolResult } from '@cloutagent/contract';
import { systemClock } from '@cloutagent/kit';
import { afterEach, describe, expect, test } from 'vitest';
import { openStdioServer } from './stdio.ts';
import type { McpConnection } from './types.ts';

const FAULTY = fileURLToPath(new URL('fixtures/faulty-server.mjs', import.meta.url));
const open: McpConnection[] = [];
/** Secrets as they stand in environments. */
const PLANTED = Object.fromEntries(
  Array.from({ length: 20 }, (_, i) => [
    `PLANTED_${i}_${['TOKEN', 'KEY', 'PASSWORD', 'URL'][i % 4] ?? ''}`,
    `sk-planted-${i}`,
  ]),
);

afterEach(async () => {
  await Promise.all(open.splice(0).map((connection) => connection.close()));
});

const faulty = async (
  mode: string,
  more: { callMs?: number; startMs?: number; env?: Record<string, string>; secrets?: readonly string[] } = {},
) => {
  const connection = await openStdioServer(
    {
      transport: 'stdio',
      id: 'faulty',
      command: process.execPath,
      args: [FAULTY, mode],
      env: {},
      cwd: process.cwd(),
      ...more,
    },
    { env: { ...process.env, ...PLANTED }, clock: systemClock, log: () => {} },
  );
  open.push(connection);
  return connection;
};

const call = (
  connection: McpConnection,
  tool: string,
  input: unknown = {},
  signal = new AbortController().signal,
): Promise<McpToolResult> => connection.call(tool, input, { signal, idempotencyKey: `key:${tool}` });

const textOf = (result: McpToolResult): unknown => result.content[0]?.['text'];
const caught = (promise: Promise<unknown>): Promise<CloutError> =>
  promise.then(
    () => expect.fail('should have failed'),
    (error: unknown) => error as CloutError,
  );

describe('a server that behaves', () => {
  test('[E5.stdio] lists its tools with their annotations and answers calls', async () => {
    const connection = await faulty('ok');
    expect(connection.tools()[0]).toEqual({
      server: 'faulty',
      name: 'echo',
      description: 'echo tool',
      inputSchema: { type: 'object' },
      annotations: { readOnlyHint: true },
    });
    expect(await call(connection, 'echo', { text: 'hello' })).toEqual({
      content: [{ type: 'text', text: 'hello' }],
      isError: false,
    });
  });

  test('gets the idempotency key', async () => {
    expect(textOf(await call(await faulty('ok'), 'meta'))).toContain('"cloutagent/idempotencyKey":"key:meta"');
  });

  test('[E5.environment] [E4] gets the allow-list and what it declares, and no secret of ours', async () => {
    const env = JSON.parse(
      String(textOf(await call(await faulty('ok', { env: { DECLARED: 'yes' } }), 'env'))),
    ) as Record<string, string>;
    expect(env['DECLARED']).toBe('yes');
    expect(env['PATH']).toBe(process.env['PATH']);
    // The last is handed on by Node itself, while coverage is measured.
    const allowed = ['HOME', 'PATH', 'SHELL', 'TERM', 'USER', 'LOGNAME', 'LANG', 'DECLARED', 'NODE_V8_COVERAGE'];
    expect(Object.keys(env).filter((name) => !allowed.includes(name))).toEqual([]);
    expect(JSON.stringify(env)).not.toContain('planted');
  });

  test('may answer with structured content only', async () => {
    expect(textOf(await call(await faulty('ok'), 'structured'))).toBe('{"answer":42}');
  });

  test('may refuse a call, which is a result and no failure of the connection', async () => {
    const connection = await faulty('ok');
    const result = await call(connection, 'refuse');
    expect(result.isError).toBe(true);
    expect(textOf(result)).toContain('path must be a string');
    expect(textOf(await call(connection, 'echo', { text: 'still here' }))).toBe('still here');
  });

  test('[E6] characters that are split over chunks arrive whole', async () => {
    expect(textOf(await call(await faulty('ok'), 'split'))).toBe('Grüße 🦊 日本');
  });

  test('many calls at once each get their own answer', async () => {
    const connection = await faulty('ok');
    const texts = Array.from({ length: 50 }, (_, i) => `text ${i}`);
    const results = await Promise.all(texts.map((text) => call(connection, 'echo', { text })));
    expect(results.map(textOf)).toEqual(texts);
  });
});

describe('a server that does not', () => {
  test('[E5] a command that does not exist is MCP_CONNECTION_FAILED', async () => {
    const error = await caught(
      openStdioServer(
        { transport: 'stdio', id: 'x', command: '/nowhere/at-all', args: [], env: {}, cwd: '/' },
        { env: {}, clock: systemClock, log: () => {} },
      ),
    );
    expect(codeOf(error)).toBe('MCP_CONNECTION_FAILED');
    expect(error.message).toContain('ENOENT');
  });

  test('[E5] a command that may not be executed is MCP_CONNECTION_FAILED', async () => {
    const error = await caught(
      openStdioServer(
        { transport: 'stdio', id: 'x', command: FAULTY, args: [], env: {}, cwd: '/' },
        { env: {}, clock: systemClock, log: () => {} },
      ),
    );
    expect([codeOf(error), error.message.includes('EACCES')]).toEqual(['MCP_CONNECTION_FAILED', true]);
  });

  test('[E5] one that reads its input no more fails its calls, and nobody else', async () => {
    const connection = await faulty('ok', { callMs: 2000 });
    await call(connection, 'close-input');
    const codes = await Promise.all(
      Array.from({ length: 5 }, () => caught(call(connection, 'echo', { text: 'x'.repeat(200_000) })).then(codeOf)),
    );
    expect(new Set(codes)).toEqual(new Set(['MCP_CONNECTION_FAILED']));
  });

  test('[E5] one that can say nothing any more is ended', async () => {
    const connection = await faulty('ok');
    expect(codeOf(await caught(call(connection, 'close-output')))).toBe('MCP_CONNECTION_FAILED');
    expect(await connection.closed).toContain('ended');
  });

  test('[E5] dying while it starts shows the end of its stderr', async () => {
    const error = await caught(faulty('die-at-once'));
    expect(codeOf(error)).toBe('MCP_CONNECTION_FAILED');
    expect(error.message).toContain('exit code 3');
    expect(error.details?.['stderr']).toBe('cannot find my configuration');
  });

  test('[E7] never answering initialize ends at the start timeout', async () => {
    expect(codeOf(await caught(faulty('mute', { startMs: 300 })))).toBe('MCP_CONNECTION_FAILED');
  });

  test('[E15] what it says of the secrets that it was given is hidden, in results and errors', async () => {
    const secrets = ['sk-given-to-the-server', 'short'];
    const env = { TOKEN: 'sk-given-to-the-server', PLAIN: 'short', OTHER: 'sk-not-a-reference' };
    const connection = await faulty('ok', { env, secrets });
    const shown = String(textOf(await call(connection, 'env')));
    expect(shown).toContain('"TOKEN":"(hidden)"');
    expect(shown).toContain('"PLAIN":"short"');
    expect(shown).toContain('sk-not-a-reference');
    const error = await caught(faulty('die-at-once', { env, secrets }));
    expect(error.details?.['stderr']).toBe('cannot find my configuration (hidden)');
    expect(JSON.stringify(error)).not.toContain('sk-given');
  });

  test('dying in the middle of a call fails that call and the later ones', async () => {
    const connection = await faulty('ok');
    const [dead, bystander] = await Promise.all([caught(call(connection, 'die')), caught(call(connection, 'never'))]);
    expect(codeOf(dead)).toBe('MCP_CONNECTION_FAILED');
    expect(dead.message).toContain('exit code 7');
    expect(dead.details?.['stderr']).toContain('dying now');
    expect(codeOf(bystander)).toBe('MCP_CONNECTION_FAILED');
    expect(await connection.closed).toContain('exit code 7');
    expect(codeOf(await caught(call(connection, 'echo', { text: 'x' })))).toBe('MCP_CONNECTION_FAILED');
  });

  test('[E6] garbage on stdout is skipped', async () => {
    expect(textOf(await call(await faulty('garbage'), 'echo', { text: 'fine' }))).toBe('fine');
  });

  test('[E5.bounds] [E8] a flood on stderr does not stop the answers', async () => {
    expect(textOf(await call(await faulty('flood'), 'echo', { text: 'fine' }))).toBe('fine');
  });

  test('[E5.bounds] [E6] a line without end ends the server, with the reason', async () => {
    const connection = await faulty('ok');
    const error = await caught(call(connection, 'huge'));
    expect(codeOf(error)).toBe('MCP_CONNECTION_FAILED');
    expect(error.message).toContain('longer than 4 MiB');
    expect(await connection.closed).toContain('longer than 4 MiB');
  });

  test('[E5.timeout] [E7] a call that never ends is REQUEST_TIMEOUT, is cancelled, and its late answer is dropped', async () => {
    const connection = await faulty('ok', { callMs: 150 });
    expect(codeOf(await caught(call(connection, 'late')))).toBe('REQUEST_TIMEOUT');
    expect(textOf(await call(connection, 'cancelled'))).toBe('1');
    await systemClock.sleep(300);
    expect(textOf(await call(connection, 'echo', { text: 'next' }))).toBe('next');
  });

  test('an aborted call throws the reason of the signal and tells the server', async () => {
    const connection = await faulty('ok');
    const controller = new AbortController();
    const pending = caught(call(connection, 'never', {}, controller.signal));
    await call(connection, 'echo', { text: 'the call before has arrived' });
    controller.abort(new Error('the run was cancelled'));
    expect((await pending).message).toBe('the run was cancelled');
    expect(textOf(await call(connection, 'cancelled'))).toBe('1');
  });

  test('[E6] answers to nobody, answers twice and two messages in a chunk disturb nobody', async () => {
    const connection = await faulty('ok');
    expect(textOf(await call(connection, 'twice'))).toBe('once');
    expect(textOf(await call(connection, 'echo', { text: 'after' }))).toBe('after');
  });

  test('what is no tool result is INVALID_TOOL_RESULT', async () => {
    const connection = await faulty('ok');
    expect(codeOf(await caught(call(connection, 'strange')))).toBe('INVALID_TOOL_RESULT');
    expect(textOf(await call(connection, 'echo', { text: 'after' }))).toBe('after');
  });

  test.each(['exit-on-probe', 'silent'])(
    '[E5.stdio] one of before 2026-07-28 that %s is used all the same',
    async (mode) => {
      const connection = await faulty(mode, { startMs: 2000 });
      expect(connection.era).toBe('legacy');
      expect(textOf(await call(connection, 'echo', { text: 'fine' }))).toBe('fine');
    },
  );

  test('too large an input is refused before it is sent', async () => {
    const connection = await faulty('ok');
    expect(codeOf(await caught(call(connection, 'echo', { text: 'x'.repeat(5 * 1024 * 1024) })))).toBe(
      'PAYLOAD_TOO_LARGE',
    );
    expect(textOf(await call(connection, 'echo', { text: 'small' }))).toBe('small');
  });
});
