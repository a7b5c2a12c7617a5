import './support/require-node.mjs';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile, compileEverything } from './support/compile.mjs';
import { ensureInstalled } from './support/install.mjs';
import { ROOT, run, runModule } from './support/run.mjs';
import { seconds, stage } from './support/stage.mjs';

// npm test: installs, builds, checks format, lint and dead code, runs every test.
// npm test -- FILES: installs, builds, runs the tests of these files.

const started = performance.now();
const ci = process.env['CI'] === 'true';
const files = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), 'cloutagent-test-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

const bin = (name, args) => run(process.execPath, [`${ROOT}node_modules/${name}`, ...args], { quiet: true });
const CHECKS = [
  ['Format (oxfmt)', () => bin('oxfmt/bin/oxfmt', ['--check', '.'])],
  ['Lint (oxlint, type-aware)', () => bin('oxlint/bin/oxlint', ['--type-aware', '--deny-warnings', '.'])],
  ['Dead code (knip)', () => bin('knip/bin/knip.js', ['--no-progress'])],
];

const readLines = (name) =>
  existsSync(join(scratch, name)) ? readFileSync(join(scratch, name), 'utf8').split('\n').filter(Boolean) : [];

/** Runs vitest and returns its counts; a run that reports none failed before it could. */
const runTests = async () => {
  const { code } = await runModule(
    'vitest/vitest.mjs',
    ['run', '--reporter=default', `--reporter=${ROOT}scripts/support/reporter.mjs`, ...files],
    {
      env: {
        ...process.env,
        CLOUT_TEST_COUNTS: join(scratch, 'counts'),
        CLOUT_TEST_MISSING: join(scratch, 'missing'),
      },
    },
  );
  const counts = JSON.parse(readLines('counts').at(-1) ?? '{"passed":0,"failed":0,"skipped":[]}');
  return { ...counts, failed: code !== 0 && counts.failed === 0 ? 1 : counts.failed };
};

const failedStages = [];
const check = async (name, passed) => {
  if (!(await passed)) failedStages.push(name);
};

/** @type {{ passed: number, failed: number, skipped: { name: string, note: string }[] }} */
let counts = { passed: 0, failed: 0, skipped: [] };
if (await ensureInstalled()) {
  await check('build', compile());
  if (files.length === 0) {
    await check('types', compileEverything());
    for (const [name, work] of CHECKS) await check(name, stage(name, work));
  }
  // Tests spawn what was built: without a build they would judge old programs.
  if (failedStages.includes('build')) console.log('Tests: not run, because the build failed.');
  else counts = await runTests();
} else {
  failedStages.push('install');
}

const missing = [...new Set(readLines('missing'))];
for (const line of missing) console.log(`Skipped: ${line}`);
for (const { name, note } of counts.skipped) console.log(`Skipped: ${name}${note === '' ? '' : ` (${note})`}`);
if (!ci && files.length === 0)
  console.log('Not run without CI=true: *.slow.test.ts (kill tests, stress, conformance).');
if (failedStages.length > 0) console.log(`Failed: ${failedStages.join(', ')}`);
console.log(`Took ${seconds(performance.now() - started)}`);

const failed = counts.failed + failedStages.length;
// Under CI a skipped test is a hole that nobody would see.
const holes = ci ? counts.skipped.length : 0;
console.log(`${counts.passed} passed, ${failed} failed, ${counts.skipped.length} skipped`);
process.exitCode = failed + holes + (counts.passed === 0 ? 1 : 0) > 0 ? 1 : 0;
