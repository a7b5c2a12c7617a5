import { codeOf, type McpTool } from '@cloutagent/contract';
import { systemClock } from '@cloutagent/kit';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { call, closeAll, codeFrom, isAlive, open, source, target, textOf } from './pool.fake.ts';

afterEach(closeAll);

describe('[E6.pool] many servers', () => {
  test('are connected at once; their tools are aggregated, sorted and routed by server', async () => {
    const pool = open(source([target('b'), target('a'), target('c')]));
    await using lease = await pool.open([{ id: 'b' }, { id: 'a' }, { id: 'c' }]);
    const names = [...lease.tools().keys()];
    expect(names).toEqual([...names].sort());
    expect(names.filter((name) => name.endsWith('__echo'))).toEqual(['mcp__a__echo', 'mcp__b__echo', 'mcp__c__echo']);
    const pids = await Promise.all(['a:pid', 'b:pid', 'c:pid'].map((name) => call(lease, name)));
    expect(new Set(pids.map(textOf)).size).toBe(3);
    expect(textOf(await call(lease, 'mcp__b__echo', { text: 'by wire name' }))).toBe('by wire name');
    expect(() => lease.tool('b:nothing')).toThrow(expect.objectContaining({ code: 'TOOL_NOT_FOUND' }));
  });

  test('one that cannot be reached fails the lease, or is left out of a partial one', async () => {
    const pool = open(source([target('good'), target('bad', 'die-at-once')]));
    const refs = [{ id: 'good' }, { id: 'bad' }, { id: 'unknown' }];
    expect(await codeFrom(pool.open(refs))).toBe('MCP_CONNECTION_FAILED');
    await using lease = await pool.open(refs, { partial: true });
    expect(lease.failures.map(({ id, error }) => [id, codeOf(error)])).toEqual([
      ['bad', 'MCP_CONNECTION_FAILED'],
      ['unknown', 'MCP_SERVER_NOT_FOUND'],
    ]);
    expect(textOf(await call(lease, 'good:echo', { text: 'still' }))).toBe('still');
  });

  test('are shared by id and parameters: one process for the same, another for others, gone with its last lease', async () => {
    const pool = open(source([target('a')]));
    const first = await pool.open([{ id: 'a', params: { ROOT: '/one' } }]);
    const second = await pool.open([{ id: 'a', params: { ROOT: '/one' } }]);
    const other = await pool.open([{ id: 'a', params: { ROOT: '/two' } }]);
    const pids = await Promise.all([first, second, other].map(async (lease) => textOf(await call(lease, 'a:pid'))));
    expect(pids[0]).toBe(pids[1]);
    expect(pids[2]).not.toBe(pids[0]);
    expect(textOf(await call(other, 'a:env'))).toContain('"ROOT":"/two"');
    await first.close();
    expect(textOf(await call(second, 'a:pid'))).toBe(pids[0]);
    expect(await codeFrom(Promise.resolve().then(() => call(first, 'a:pid')))).toBe('MCP_SERVER_NOT_FOUND');
    await second.close();
    expect(isAlive(String(pids[0]))).toBe(false);
    expect(isAlive(String(pids[2]))).toBe(true);
    await pool.close();
    expect(isAlive(String(pids[2]))).toBe(false);
    expect(await codeFrom(pool.open([{ id: 'a' }]))).toBe('SHUTTING_DOWN');
  });

  test('a server that is dropped ends for everybody who holds it', async () => {
    const pool = open(source([target('a'), target('b')]));
    await using lease = await pool.open([{ id: 'a' }, { id: 'b' }]);
    const pid = textOf(await call(lease, 'a:pid'));
    await pool.drop('a');
    expect(isAlive(pid)).toBe(false);
    expect(await codeFrom(call(lease, 'a:pid'))).toBe('MCP_CONNECTION_FAILED');
    expect(textOf(await call(lease, 'b:echo', { text: 'lives' }))).toBe('lives');
  });
});

describe('a server that is lost', () => {
  test('[E5.crash] is started again; the call that died with it is not repeated', async () => {
    const pool = open(source([target('a')]));
    await using lease = await pool.open([{ id: 'a' }]);
    const before = textOf(await call(lease, 'a:pid'));
    const bystander = codeFrom(call(lease, 'a:never'));
    expect(await codeFrom(call(lease, 'a:die'))).toBe('MCP_CONNECTION_FAILED');
    expect(await bystander).toBe('MCP_CONNECTION_FAILED');
    await vi.waitFor(() => expect(pool.reports()[0]?.state).toBe('ready'), { timeout: 5000 });
    expect(textOf(await call(lease, 'a:pid'))).not.toBe(before);
    expect(pool.reports()[0]?.restarts).toBe(1);
  });

  test('[E5.crash] a read-only call that died with its server is made once more', async () => {
    const pool = open(source([target('a')]));
    await using lease = await pool.open([{ id: 'a' }]);
    expect(textOf(await call(lease, 'a:die-once'))).toBe('alive again');
  });

  test('[E11] crashing again and again puts it in quarantine, with the time of the next try', async () => {
    const pool = open(source([target('a')]));
    await using lease = await pool.open([{ id: 'a' }]);
    const codes: unknown[] = [];
    for (let i = 0; i < 7; i += 1) codes.push(await codeFrom(call(lease, 'a:die')));
    expect(codes).toEqual([...Array<string>(6).fill('MCP_CONNECTION_FAILED'), 'MCP_QUARANTINED']);
    const [report] = pool.reports();
    expect(report?.state).toBe('quarantined');
    expect(report?.restarts).toBe(5);
    expect(Date.parse(report?.retryAt ?? '')).toBeGreaterThan(systemClock.now());
  });

  test('that nobody holds is left alone until it is called again', async () => {
    const pool = open(source([target('a')]));
    const lease = await pool.open([{ id: 'a' }]);
    const before = textOf(await call(lease, 'a:pid'));
    await lease.close();
    process.kill(Number(before), 'SIGKILL');
    await vi.waitFor(() => expect(pool.reports()[0]?.connection).toBeUndefined());
    await systemClock.sleep(200);
    expect(pool.reports()[0]).toMatchObject({ state: 'idle', connection: undefined });
    await using again = await pool.open([{ id: 'a' }]);
    expect(textOf(await call(again, 'a:pid'))).not.toBe(before);
  });

  test('a start that fails again and again is not tried for ever', async () => {
    const pool = open(source([target('a', 'die-at-once')]));
    const codes: unknown[] = [];
    for (let i = 0; i < 7; i += 1) codes.push(await codeFrom(pool.open([{ id: 'a' }])));
    expect(codes.at(-1)).toBe('MCP_QUARANTINED');
  });
});

describe('[E6.approval] [E12] tools that change', () => {
  test('are off until approved; those that did not change go on', async () => {
    const servers = source([target('a')]);
    const pool = open(servers);
    await using lease = await pool.open([{ id: 'a' }]);
    expect(servers.kept.get('a')).toBeDefined();
    const frozen = [...lease.tools().keys()];
    await call(lease, 'a:mutate');
    await vi.waitFor(() =>
      expect(pool.reports()[0]?.drift).toEqual({ added: ['extra'], changed: ['echo'], removed: [] }),
    );
    expect([...lease.tools().keys()]).toEqual(frozen);
    expect(await codeFrom(call(lease, 'a:echo', { text: 'x' }))).toBe('MCP_NOT_APPROVED');
    expect(textOf(await call(lease, 'a:cancelled'))).toBe('0');
    await using later = await pool.open([{ id: 'a' }]);
    expect([...later.tools().values()].map((tool: McpTool) => tool.name)).not.toContain('echo');
    expect([...later.tools().values()].map((tool: McpTool) => tool.name)).not.toContain('extra');

    const connection = pool.reports()[0]?.connection;
    servers.pin('a', connection?.tools() ?? []);
    await using approved = await pool.open([{ id: 'a' }]);
    expect(textOf(await call(approved, 'a:echo', { text: 'approved' }))).toBe('approved');
    expect(pool.reports()[0]?.drift).toBeUndefined();
  });
});

describe('looking after servers', () => {
  test('one that nobody calls is stopped, and started again by the next call', async () => {
    const pool = open(source([target('a')], 1));
    await using lease = await pool.open([{ id: 'a' }]);
    const before = textOf(await call(lease, 'a:pid'));
    await systemClock.sleep(10);
    await pool.check();
    expect(isAlive(before)).toBe(false);
    expect(pool.reports()[0]?.state).toBe('idle');
    expect(textOf(await call(lease, 'a:pid'))).not.toBe(before);
    expect(pool.reports()[0]?.restarts).toBe(0);
  });

  test('one that works on a call is neither stopped nor asked how it is', async () => {
    const pool = open(source([target('a')], 1));
    await using lease = await pool.open([{ id: 'a' }]);
    const working = call(lease, 'a:late');
    await systemClock.sleep(10);
    await pool.check();
    expect(textOf(await working)).toBe('too late');
    expect(pool.reports()[0]?.restarts).toBe(0);
  });

  test('[E6.health] every 30 s of the clock each server is looked at', async () => {
    const ticks: (() => void)[] = [];
    const clock = {
      ...systemClock,
      sleep: (ms: number, signal?: AbortSignal) =>
        ms === 30_000
          ? new Promise<void>((resolve, reject) => {
              ticks.push(resolve);
              signal?.addEventListener('abort', () => reject(signal.reason as Error));
            })
          : systemClock.sleep(ms, signal),
    };
    const pool = open(source([target('a')]), { clock });
    await using lease = await pool.open([{ id: 'a' }]);
    await call(lease, 'a:mutate-silently');
    expect(pool.reports()[0]?.drift).toBeUndefined();
    expect(ticks).toHaveLength(1);
    ticks[0]?.();
    await vi.waitFor(() => expect(pool.reports()[0]?.drift?.added).toEqual(['extra']));
    await vi.waitFor(() => expect(ticks).toHaveLength(2));
  });
});
