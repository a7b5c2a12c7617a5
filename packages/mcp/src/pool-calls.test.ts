import { afterEach, describe, expect, test } from 'vitest';
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
