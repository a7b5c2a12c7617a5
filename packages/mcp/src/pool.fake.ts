import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CloutError, codeOf, type McpServerRef, type McpToolResult } from '@cloutagent/contract';
import { systemClock } from '@cloutagent/kit';
import type { Lease } from './lease.ts';
import { createPool, type McpPool, type PoolDeps, type ServerSource } from './pool.ts';
import type { StdioTarget } from './target.ts';
import type { Elicit } from './types.ts';
import { pinsOf, type ToolPins } from './tool-digest.ts';

const FAULTY = fileURLToPath(new URL('fixtures/faulty-server.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'mcp-pool-'));
const pools: McpPool[] = [];

/** The faulty server in one of its modes. */
export const target = (id: string, mode = 'ok', more: Partial<StdioTarget> = {}): StdioTarget => ({
  transport: 'stdio',
  id,
  command: process.execPath,
  args: [FAULTY, mode, join(folder, `${id}-died`)],
  env: {},
  cwd: process.cwd(),
  ...more,
});

/** Servers of a list, with the pins that the pool keeps. */
export const source = (
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

export const open = (servers: ServerSource, more: Partial<PoolDeps> = {}): McpPool => {
  const pool = createPool({ env: {}, clock: systemClock, log: () => {}, random: () => 0, servers, ...more });
  pools.push(pool);
  return pool;
};

/** Closes every pool that was opened. */
export const closeAll = async (): Promise<void> => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
};

export const call = (
  lease: Lease,
  name: string,
  input: unknown = {},
  more: { elicit?: Elicit } = {},
): Promise<McpToolResult> =>
  lease.call(lease.tool(name), input, {
    signal: new AbortController().signal,
    idempotencyKey: name,
    ...(more.elicit === undefined ? {} : { elicit: more.elicit }),
  });

export const textOf = (result: McpToolResult): string => String(result.content[0]?.['text']);

export const codeFrom = (promise: Promise<unknown>): Promise<string | undefined> =>
  promise.then(
    () => 'no error',
    (error: unknown) => codeOf(error),
  );

export const isAlive = (pid: string): boolean => {
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch {
    return false;
  }
};
