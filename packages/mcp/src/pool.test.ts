import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CloutError, codeOf, type McpServerRef, type McpTool, type McpToolResult } from '@cloutagent/contract';
import { systemClock } from '@cloutagent/kit';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Lease } from './lease.ts';
import { createPool, type McpPool, type PoolDeps, type ServerSource } from './pool.ts';
import type { StdioTarget } from './target.ts';
import { pinsOf, type ToolPins } from './tool-digest.ts';

const FAULTY = fileURLToPath(new URL('fixtures/faulty-server.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'mcp-pool-'));
const pools: McpPool[] = [];

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
});

const target = (id: string, mode = 'ok', more: Partial<StdioTarget> = {}): StdioTarget => ({
  transport: 'stdio',
  id,
  command: process.execPath,
  args: [FAULTY, mode, join(folder, `${id}-died`)],
  env: {},
  cwd: process.cwd(),
  ...more,
});

/** Servers of a list, with the pins that the pool keeps. */
const source = (
  targets: readonly StdioTarget[],
  idleMs = 0,
): ServerSource & { readonly kept: Map<string, ToolPins> } => {
  const kept = new Map<string, ToolPins>();
  return {
    kept,
    find: async ({ id, params = {} }: McpServerRef) => {
      const found = targets.find((item) => item.id === id);
      if (found === undefined) throw new CloutError('MCP_SERVER_NOT_FOUND', `no ${id}`);
      return { target: { ...found, env: { ...found.env, ...params } }, idleMs };
    },
    pins: (id) => kept.get(id),
    pin: (id, tools) => void kept.set(id, pinsOf(tools)),
  };
};

const open = (servers: ServerSource, more: Partial<PoolDeps> = {}): McpPool => {
  const pool = createPool({ env: process.env, clock: systemClock, log: () => {}, random: () => 0, servers, ...more });
  pools.push(pool);
  return pool;
};

const call = (
  lease: Lease,
  name: string,
  input: unknown = {},
  more: { elicit?: PoolDeps['elicit'] } = {},
): Promise<McpToolResult> =>
  lease.call(lease.tool(name), input, {
    signal: new AbortController().signal,
    idempotencyKey: name,
    ...(more.elicit === undefined ? {} : { elicit: more.elicit }),
  });
const textOf = (result: McpToolResult): string => String(result.content[0]?.['text']);
const codeFrom = (promise: Promise<unknown>): Promise<string | undefined> =>
  promise.then(
    () => 'no error',
    (error: unknown) => codeOf(error),
  );
const isAlive = (pid: string): boolean => {
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch {
    return false;
  }
};

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

  test('a start that fails again and again is not tried for ever', async () => {
    const pool = open(source([target('a', 'die-at-once')]));
    const codes: unknown[] = [];
    for (let i = 0; i < 7; i += 1) codes.push(await codeFrom(pool.open([{ id: 'a' }])));
    expect(codes.at(-1)).toBe('MCP_QUARANTINED');
  });
});

describe('[E12] tools that change', () => {
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
