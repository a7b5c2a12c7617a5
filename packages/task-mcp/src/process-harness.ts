/** `task-mcp --http` as a process of its own, with its log; listed in no index. */
import { spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from './harness.ts';

const BIN = fileURLToPath(new URL('../bin/task-mcp.mjs', import.meta.url));

export const spawned = async (
  environment: Record<string, string> = {},
  options: Pick<SpawnOptions, 'cwd'> & {
    readonly root?: string;
    readonly node?: readonly string[];
    /** Program and arguments that become the server. */
    readonly through?: readonly string[];
  } = {},
) => {
  const { root: given, node = [], through = [], ...more } = options;
  const root = given ?? (await mkdtemp(join(tmpdir(), 'task-mcp-process-')));
  const [command, ...args] = [...through, process.execPath, ...node, BIN, '--http'];
  const child = spawn(command, args, {
    env: { PORT: '0', WORKING_DIRECTORY: root, AUTH_TOKENS: 'devtoken', ...environment },
    stdio: ['ignore', 'inherit', 'pipe'],
    ...more,
  });
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const logs: string[] = [];
  let url = '';
  createInterface({ input: child.stderr }).on('line', (line) => {
    logs.push(line);
    if (!line.startsWith('{')) return;
    const entry = JSON.parse(line) as { message: string; url?: string };
    if (entry.message === 'listening') url = entry.url ?? '';
  });
  await until(() => url !== '' || child.exitCode !== null || child.signalCode !== null);
  return {
    child,
    exited,
    logs,
    url,
    root,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exited;
      if (given === undefined) await rm(root, { recursive: true });
    },
  };
};

export const auth = { authorization: 'Bearer devtoken' };
