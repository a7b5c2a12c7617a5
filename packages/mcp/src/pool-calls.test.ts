import type { McpElicitationAnswer } from '@cloutagent/contract';
import { systemClock } from '@cloutagent/kit';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Elicit } from './types.ts';
import { call, closeAll, codeFrom, open, source, target, textOf } from './pool.fake.ts';

afterEach(closeAll);

describe('what a server asks', () => {
  test('an elicitation goes to whoever made the call, and its answer comes back', async () => {
    const asked: unknown[] = [];
    const pool = open(source([target('a')]), { elicit: async () => ({ action: 'cancel' }) });
    await using lease = await pool.open([{ id: 'a' }]);
    const result = await call(
      lease,
      'a:ask',
      {},
      {
        elicit: async (request) => {
          asked.push(request);
          return { action: 'accept', content: { branch: 'main' } };
        },
      },
    );
    expect(asked).toMatchObject([
      { server: 'a', mode: 'form', message: 'Which branch?', call: { tool: 'ask', idempotencyKey: 'a:ask' } },
    ]);
    expect(JSON.parse(textOf(result))).toMatchObject({ action: 'accept', content: { branch: 'main' } });
    expect(JSON.parse(textOf(await call(lease, 'a:ask')))).toMatchObject({ action: 'cancel' });
  });

  test('while it is asked about the time of the call stands still, and who ends it takes its question back', async () => {
    const servers = source([target('a', 'ok', { callMs: 200 })]);
    const pool = open(servers, { elicit: async () => ({ action: 'cancel' }) });
    await using lease = await pool.open([{ id: 'a' }]);
    const controller = new AbortController();
    const slow = async (): Promise<McpElicitationAnswer> => {
      await systemClock.sleep(600);
      return { action: 'decline' };
    };
    expect(JSON.parse(textOf(await call(lease, 'a:ask', {}, { elicit: slow })))).toMatchObject({ action: 'decline' });

    for (const [how, end] of [
      ['dies', () => void process.kill(pool.reports()[0]?.connection?.pid ?? 0, 'SIGKILL')],
      ['aborts', () => controller.abort(new Error('stop'))],
    ] as const) {
      let withdrawn: (value: string) => void = () => {};
      const taken = new Promise<string>((resolve) => {
        withdrawn = resolve;
      });
      const elicit: Elicit = async (_request, signal) => {
        signal.addEventListener('abort', () => withdrawn(`taken back: ${how}`), { once: true });
        end();
        return taken.then(() => ({ action: 'cancel' }));
      };
      const options = { signal: controller.signal, idempotencyKey: how, elicit };
      await expect(lease.call(lease.tool('a:ask'), {}, options)).rejects.toThrow(/is gone|stop/u);
      expect(await taken).toBe(`taken back: ${how}`);
    }
  });

  test('of several calls in flight the oldest that can ask a person is asked, where the protocol does not say which', async () => {
    const pool = open(source([target('a')]), { elicit: async () => ({ action: 'cancel' }) });
    await using lease = await pool.open([{ id: 'a' }]);
    const controller = new AbortController();
    const other = lease
      .call(lease.tool('a:never'), {}, { signal: controller.signal, idempotencyKey: 'never' })
      .catch(() => undefined);
    const asked: unknown[] = [];
    const elicit: Elicit = async (request) => {
      asked.push(request.call);
      return { action: 'decline' };
    };
    expect(JSON.parse(textOf(await call(lease, 'a:ask', {}, { elicit })))).toMatchObject({ action: 'decline' });
    expect(asked).toEqual([undefined]);
    controller.abort();
    await other;
  });

  test('without anybody to ask, elicitation is refused; sampling always, in words', async () => {
    const pool = open(source([target('a')]));
    await using lease = await pool.open([{ id: 'a' }]);
    expect(textOf(await call(lease, 'a:ask'))).toContain('CloutAgent does not answer elicitation/create');
    expect(textOf(await call(lease, 'a:sample'))).toContain('makes no model calls for servers');
  });
});

describe('results', () => {
  test('[E5.bounds] a text that is too long is cut, and kept whole in a file', async () => {
    const kept: string[] = [];
    const pool = open(source([target('a')]), {
      spill: async (text) => {
        kept.push(text);
        return '/kept/here.txt';
      },
    });
    await using lease = await pool.open([{ id: 'a' }]);
    const result = await call(lease, 'a:big', { length: 200_000 });
    expect(textOf(result)).toHaveLength(80_000);
    expect(String(result.content[1]?.['text'])).toContain('/kept/here.txt');
    expect(kept[0]).toHaveLength(200_010);
    expect(kept[0]).toMatch(/ end$/u);
  });

  test('progress is passed on and starts the time-out again', async () => {
    const pool = open(source([target('a', 'ok', { callMs: 900 })]));
    await using lease = await pool.open([{ id: 'a' }]);
    const seen: unknown[] = [];
    const result = await lease.call(
      lease.tool('a:progress'),
      {},
      {
        signal: new AbortController().signal,
        idempotencyKey: 'k',
        onProgress: (progress) => void seen.push(progress),
      },
    );
    expect(textOf(result)).toBe('all steps');
    expect(seen).toHaveLength(5);
    expect(seen[1]).toEqual({ progress: 2, total: 5, message: 'step 2' });
  });

  test('[E5.timeout] single tools may have time-outs of their own', async () => {
    const pool = open(source([target('a', 'ok', { toolMs: { never: 100 } })]));
    await using lease = await pool.open([{ id: 'a' }]);
    expect(await codeFrom(call(lease, 'a:never'))).toBe('REQUEST_TIMEOUT');
    expect(textOf(await call(lease, 'a:late'))).toBe('too late');
  });
});

describe('[E6.pool] resources and prompts', () => {
  test('are listed and read by server; what is not there is an error of its own', async () => {
    const pool = open(source([target('a'), target('b')]));
    await using lease = await pool.open([{ id: 'a' }, { id: 'b' }]);
    expect(await lease.resources('a')).toEqual([
      { uri: 'note://one', name: 'one', description: '', mimeType: 'text/plain' },
    ]);
    const [a, b] = await Promise.all(['a', 'b'].map((id) => lease.readResource(id, 'note://one')));
    expect(a).toEqual([{ uri: 'note://one', text: `by ${textOf(await call(lease, 'a:pid'))}` }]);
    expect(b).not.toEqual(a);
    expect(await lease.prompts('a')).toEqual([
      { name: 'greet', description: '', arguments: [{ name: 'who', required: true }] },
    ]);
    expect(await lease.prompt('a', 'greet', { who: 'Ann' })).toEqual([
      { role: 'user', content: { type: 'text', text: 'Greet Ann' } },
    ]);
    expect(await codeFrom(lease.readResource('a', 'note://two'))).toBe('RESOURCE_NOT_FOUND');
    expect(await codeFrom(lease.prompt('a', 'scold', {}))).toBe('RESOURCE_NOT_FOUND');
    expect(await codeFrom(lease.resources('c'))).toBe('MCP_SERVER_NOT_FOUND');
  });

  test('come from the server that was started again, and from none once the lease is closed', async () => {
    const pool = open(source([target('a')]));
    const lease = await pool.open([{ id: 'a' }]);
    const before = await lease.readResource('a', 'note://one');
    process.kill(pool.reports()[0]?.connection?.pid ?? 0, 'SIGKILL');
    await vi.waitFor(() => expect(pool.reports()[0]?.restarts).toBe(1));
    expect(await lease.readResource('a', 'note://one')).not.toEqual(before);
    await lease.close();
    expect(await codeFrom(lease.readResource('a', 'note://one'))).toBe('MCP_SERVER_NOT_FOUND');
  });
});
