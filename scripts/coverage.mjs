import './support/require-node.mjs';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile } from './support/compile.mjs';
import { linesOfProcesses, linesOfReport } from './support/coverage.mjs';
import { ensureInstalled } from './support/install.mjs';
import { ROOT, runModule } from './support/run.mjs';

// npm run coverage: how many lines the tests run, by room, with what they start in processes and threads. Not counted is what
// a browser runs, and what a process ran that was killed. Ends with 1 below the goal, or where a test fails.

/** Lines of 100. */
const GOAL = 90;

/** [room, lines, lines that were run], and all rooms together at the end. */
const roomsOf = (report, byProcesses) => {
  const rooms = new Map();
  for (const [file, found] of Object.entries(report)) {
    const room = file.slice(ROOT.length).split('/').slice(0, 2).join('/');
    const sum = rooms.get(room) ?? { lines: 0, run: 0 };
    for (const [line, times] of linesOfReport(found)) {
      sum.lines += 1;
      if (times > 0 || byProcesses.get(file)?.has(line) === true) sum.run += 1;
    }
    rooms.set(room, sum);
  }
  const all = [...rooms.values()];
  const total = (key) => all.reduce((sum, one) => sum + one[key], 0);
  return [...rooms, ['all', { lines: total('lines'), run: total('run') }]];
};

const measure = async () => {
  if (!((await ensureInstalled()) && (await compile()))) return 1;
  const folder = mkdtempSync(join(tmpdir(), 'cloutagent-coverage-'));
  try {
    const { code } = await runModule(
      'vitest/vitest.mjs',
      ['run', '--config', 'vitest.coverage.config.ts', ...process.argv.slice(2)],
      { env: { ...process.env, CLOUT_CHILD_COVERAGE: folder } },
    );
    const report = JSON.parse(readFileSync(`${ROOT}coverage/coverage-final.json`, 'utf8'));
    const rooms = roomsOf(report, linesOfProcesses(folder));
    for (const [room, { lines, run }] of rooms)
      console.log(`${((run / lines) * 100).toFixed(1).padStart(5)} % of ${lines} lines  ${room}`);
    const { lines, run } = rooms.at(-1)[1];
    return code === 0 && (run / lines) * 100 >= GOAL ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

process.exitCode = await measure();
