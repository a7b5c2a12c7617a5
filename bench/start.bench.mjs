import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cpuOf, cpuOfScript, freePort, median } from './support/process.mjs';

// How long the second `npm start` takes until it serves, and what it costs beside a Node that does nothing.

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ROUNDS = 5;
const GOAL_MS = 2000;

export const area = 'start';
export const peers = {};

const serves = async (url) => {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
};

const startOnce = async (project) => {
  const port = await freePort();
  const began = performance.now();
  const child = spawn(process.execPath, ['scripts/start.mjs'], {
    cwd: ROOT,
    env: { ...process.env, PORT: String(port), WORKING_DIRECTORY: project },
    stdio: 'ignore',
  });
  const ended = once(child, 'close');
  try {
    while (!(await serves(`http://127.0.0.1:${port}/healthz`))) {
      if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}`);
      if (performance.now() - began > 10 * GOAL_MS) throw new Error('npm start does not serve');
      await sleep(5);
    }
    return { ms: performance.now() - began, cpu: cpuOf(child.pid) };
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
};

export async function* run() {
  const project = mkdtempSync(join(tmpdir(), 'cloutagent-bench-'));
  try {
    cpSync(`${ROOT}examples/first-change`, project, { recursive: true });
    // The first start writes the token and the database; what is measured is every later one.
    await startOnce(project);
    const starts = [];
    const bare = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      starts.push(await startOnce(project));
      bare.push(await cpuOfScript('0'));
    }
    const ms = median(starts.map((start) => start.ms));
    yield {
      name: 'second start until /healthz',
      value: ms,
      unit: 'ms',
      peers: {},
      ratio: null,
      goal: `≤ ${GOAL_MS} ms`,
      ok: ms <= GOAL_MS,
    };
    const cpus = starts.flatMap(({ cpu }) => (cpu === null ? [] : [cpu]));
    if (cpus.length > 0) {
      const nothing = median(bare);
      yield {
        name: 'CPU until /healthz',
        value: median(cpus),
        unit: 'CPU-ms',
        peers: { 'node -e 0': nothing },
        ratio: median(cpus) / nothing,
        goal: null,
        ok: null,
      };
    }
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}
