import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { leftAfter, processesOf } from './leftovers.mjs';

const PARENT = fileURLToPath(new URL('parent.mjs', import.meta.url));
/** Nothing may be left so long after an end. */
const GONE_MS = 2_000;

/** One parent with servers, ended in a way; what is left of them. */
const endOnce = async (how, file) => {
  const marker = `interop-${randomUUID()}`;
  const parent = spawn(process.execPath, [PARENT, file, marker], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: parent.stdout });
  const gone = once(parent, 'close');
  const [first] = await Promise.race([once(lines, 'line'), gone]);
  if (first !== 'ready') return { ran: 0, left: [`the parent ended with ${first}`] };
  const before = processesOf(marker);
  if (how === 'close') parent.stdin.end('close\n');
  else parent.kill(how);
  await gone;
  return { ran: before.length, left: await leftAfter(before, marker, GONE_MS) };
};

/** `rounds` ends of each kind, all servers that are programs each time, some of them behind `npx`. */
export const endAll = async (rounds, targets) => {
  const folder = mkdtempSync(join(tmpdir(), 'interop-ends-'));
  const file = join(folder, 'servers.json');
  const programs = targets.filter(({ target }) => target.transport === 'stdio');
  const wrapped = programs.flatMap(({ target, calls, wrap }) =>
    wrap === undefined ? [] : [{ target: { ...target, ...wrap, id: `${target.id}-npx` }, call: calls[0] }],
  );
  const servers = [...programs.map(({ target, calls }) => ({ target, call: calls[0] })), ...wrapped];
  writeFileSync(file, JSON.stringify(servers));
  const lines = [];
  try {
    for (const how of ['close', 'SIGKILL', 'SIGTERM']) {
      const left = [];
      let ran = 0;
      for (let round = 0; round < rounds; round += 1) {
        const ended = await endOnce(how, file);
        ran += ended.ran;
        left.push(...ended.left);
      }
      // A server behind `npx` is more than one process.
      const least = (programs.length + 2 * wrapped.length) * rounds;
      lines.push({
        good: left.length === 0 && ran >= least,
        text: `${rounds} parents with ${programs.length} servers and ${wrapped.length} behind npx ended by ${how}: of ${ran} processes ${left.length} are left ${left.join(', ')}`,
      });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return lines;
};
