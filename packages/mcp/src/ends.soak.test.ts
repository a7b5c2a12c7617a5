import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { systemClock } from '@cloutagent/kit';
import { describe, expect, test } from 'vitest';

const FAULTY = fileURLToPath(new URL('fixtures/faulty-server.mjs', import.meta.url));
const WORKSPACE = fileURLToPath(new URL('../../..', import.meta.url));
const ROUNDS = 100;

/** Opens a server through the built package, says which group it leads, and closes it or waits to be killed. */
const PARENT = `
  import { openStdioServer } from '${new URL('../dist/index.js', import.meta.url).href}';
  import { systemClock } from '@cloutagent/kit';
  const [command, ...args] = JSON.parse(process.argv[1]);
  const connection = await openStdioServer(
    { transport: 'stdio', id: 'x', command, args, env: {}, cwd: process.cwd() },
    { env: process.env, clock: systemClock, log: () => {} },
  );
  console.log(connection.pid);
  process.stdin.once('data', async () => { await connection.close(); process.exit(); });
`;

/** Processes of a group, zombies left out. */
const groupOf = async (leader: number): Promise<readonly string[]> => {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pgid=,pid=,stat=,args=']);
  return stdout.split('\n').filter((line) => {
    const [group, , state] = line.trim().split(/\s+/u);
    return group === String(leader) && state?.startsWith('Z') === false;
  });
};

const leftOf = async (leader: number): Promise<readonly string[]> => {
  let left = await groupOf(leader);
  // Two seconds on a quiet machine; a busy one has more.
  for (let look = 0; left.length > 0 && look < 200; look += 1) {
    await systemClock.sleep(50);
    left = await groupOf(leader);
  }
  return left;
};

const endOnce = async (how: 'close' | 'SIGKILL', command: readonly string[]) => {
  const parent = spawn(process.execPath, ['--input-type=module', '-e', PARENT, JSON.stringify(command)], {
    cwd: WORKSPACE,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const gone = once(parent, 'exit');
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const leader = Number(line.toString());
  const ran = (await groupOf(leader)).length;
  if (how === 'close') parent.stdin.write('close\n');
  else parent.kill(how);
  await gone;
  return { ran, left: await leftOf(leader) };
};

describe(`[E5.tree] [E9] ${ROUNDS} ends`, () => {
  test.each([
    ['close', 'a wrapper, a server and its child that ignore everything', 'sh'],
    ['SIGKILL', 'a wrapper, a server and its child that ignore everything', 'sh'],
    ['close', 'a server behind npx', 'npx'],
    ['SIGKILL', 'a server behind npx', 'npx'],
  ] as const)('by %s of %s leave no process', { timeout: 1_800_000 }, async (how, _what, wrapper) => {
    const root = await mkdtemp(join(tmpdir(), 'mcp-ends-'));
    const command =
      wrapper === 'sh'
        ? ['sh', '-c', `"${process.execPath}" "${FAULTY}" stubborn; true`]
        : ['npx', '--no-install', 'mcp-server-filesystem', root];
    try {
      let ran = 0;
      const left: string[] = [];
      const worker = async (rounds: number): Promise<void> => {
        for (let round = 0; round < rounds; round += 1) {
          const end = await endOnce(how, command);
          ran += end.ran;
          left.push(...end.left);
        }
      };
      await Promise.all(Array.from({ length: 4 }, () => worker(ROUNDS / 4)));
      console.log(`[E9] ${how} ${wrapper}`, { ran, left: left.length });
      expect(left).toEqual([]);
      // Each is more than one process.
      expect(ran).toBeGreaterThanOrEqual(2 * ROUNDS);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });
});
