import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { installPreset, PRESETS } from '@cloutagent/mcp';
import { ROOT } from '../../scripts/support/run.mjs';
import { leftAfter, processesOf } from './leftovers.mjs';

const PARENT = fileURLToPath(new URL('parent.mjs', import.meta.url));
const FOLDER = `${ROOT}bench/.peers/mcp-servers`;
/** Nothing may be left so long after an end. */
const GONE_MS = 2_000;

/** One parent with servers, ended in a way; what is left of them. */
const endOnce = async (how, home) => {
  const marker = `interop-${randomUUID()}`;
  const parent = spawn(process.execPath, [PARENT, home, marker], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: parent.stdout });
  await once(lines, 'line');
  const ran = processesOf(marker).length;
  const gone = once(parent, 'close');
  if (how === 'close') parent.stdin.end('close\n');
  else parent.kill(how);
  await gone;
  return { ran, left: await leftAfter(marker, GONE_MS) };
};

/** `rounds` ends of each kind; a server and one that `npx` wraps each time. */
export const endAll = async (rounds) => {
  const preset = PRESETS.find(({ id }) => id === 'memory');
  const program = await installPreset(preset, { folder: FOLDER, env: process.env });
  const home = program.slice(0, program.indexOf('/node_modules/'));
  const lines = [];
  for (const how of ['close', 'SIGKILL', 'SIGTERM']) {
    let left = [];
    let ran = 0;
    for (let round = 0; round < rounds; round += 1) {
      const ended = await endOnce(how, home);
      ran += ended.ran;
      left = [...left, ...ended.left];
    }
    lines.push({
      good: left.length === 0 && ran >= 3 * rounds,
      text: `${rounds} parents ended by ${how}: of ${ran} processes ${left.length} are left ${left.join(', ')}`,
    });
  }
  return lines;
};
