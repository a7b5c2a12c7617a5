import { randomUUID } from 'node:crypto';
import { compile } from '../../scripts/support/compile.mjs';
import { ensureInstalled } from '../../scripts/support/install.mjs';

// npm run interop:servers: real MCP servers, connected at once, called, used by agents, killed in the middle of a call, and gone
// afterwards. `--rounds N` repeats the ends: N orderly ones, N by kill -9 of the parent, N by SIGTERM, with all servers that are
// programs, some of them also behind npx.

if (!(await ensureInstalled()) || !(await compile())) process.exit(1);
const { createPool } = await import('@cloutagent/mcp');
const { systemClock } = await import('@cloutagent/kit');
const { leftAfter, processesOf } = await import('./leftovers.mjs');
const { openServers } = await import('./servers.mjs');
const { useByAgents } = await import('./agents.mjs');
const { endAll } = await import('./ends.mjs');

const rounds = Number(process.argv[process.argv.indexOf('--rounds') + 1]) || 1;
const marker = `interop-${randomUUID()}`;
let failed = 0;
const check = (good, what) => {
  console.log(`${good ? 'ok     ' : 'FAILED '} ${what}`);
  if (!good) failed += 1;
};
const options = () => ({ signal: AbortSignal.timeout(60_000), idempotencyKey: randomUUID() });
const textOf = (result) => JSON.stringify(result.content);

const servers = await openServers(marker);
const { targets } = servers;
for (const reason of servers.missing) console.log(`skipped ${reason}`);
const pool = createPool({
  env: process.env,
  clock: systemClock,
  log: () => undefined,
  random: Math.random,
  // Without it servers are told that nobody can be asked, and do not ask.
  elicit: async () => ({ action: 'cancel' }),
  servers: {
    find: async ({ id }) => ({ target: targets.find(({ target }) => target.id === id).target, idleMs: 0 }),
    pins: () => undefined,
    pin: () => undefined,
  },
});

/** When a server has another connection than this one. */
const newConnectionOf = async (id, before) => {
  for (;;) {
    const { connection } = pool.reports().find((report) => report.id === id);
    if (connection !== undefined && connection !== before) return performance.now();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

try {
  const began = performance.now();
  const lease = await pool.open(targets.map(({ target }) => ({ id: target.id })));
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const reports = pool.reports();
  for (const { id, connection } of reports)
    console.log(`        ${id}: ${connection.tools().length} tools, ${connection.era} ${connection.protocolVersion}`);
  check(
    reports.every(({ state }) => state === 'ready'),
    `${reports.length} servers connected at once in ${seconds} s, ${lease.tools().size} tools`,
  );

  for (const { target, calls } of targets) {
    for (const [tool, input, expected] of calls) {
      const result = await lease.call(lease.tool(`${target.id}:${tool}`), input, options());
      const good = !result.isError && textOf(result).includes(expected);
      check(good, `${target.id}: ${tool}${good ? '' : `: ${textOf(result)}`}`);
    }
  }

  const asking = lease.tool('everything:trigger-elicitation-request');
  const elicit = async ({ message }) => ({ action: 'accept', content: { name: `asked: ${message}` } });
  const asked = textOf(await lease.call(asking, {}, { ...options(), elicit }));
  check(
    asked.includes('asked: Please provide'),
    `everything: asks a person${asked.includes('asked: ') ? '' : `: ${asked}`}`,
  );

  for (const line of await useByAgents(lease, targets)) check(line.good, line.text);

  for (const { target, calls } of targets) {
    const [tool, input] = calls.at(-1);
    // Two share one server over HTTP: the end of it for one is the end for both.
    await pool.open([{ id: target.id }]).then((again) => again.close());
    const { connection } = pool.reports().find(({ id }) => id === target.id);
    const pid = connection.pid ?? servers.http.pid();
    // Stopped, it has the call and cannot answer any more.
    process.kill(pid, 'SIGSTOP');
    const caught = lease.call(lease.tool(`${target.id}:${tool}`), input, options()).then(
      () => 'made again',
      (error) => error.code,
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    const died = performance.now();
    if (connection.pid === undefined) {
      await servers.http.kill();
      await servers.http.start();
    } else process.kill(pid, 'SIGKILL');
    const backAt = connection.pid === undefined ? undefined : newConnectionOf(target.id, connection);
    const outcome = await caught;
    if (backAt === undefined) await pool.open([{ id: target.id }]).then((again) => again.close());
    const back = (((await backAt) ?? performance.now()) - died) / 1000;
    const { annotations } = lease.tool(`${target.id}:${tool}`);
    const repeatable = annotations.readOnlyHint === true || annotations.idempotentHint === true;
    // A browser's page and a database of a process are gone with it: a first call may say so, but it is answered.
    await lease.call(lease.tool(`${target.id}:${calls[0][0]}`), calls[0][1], options());
    const answered = (performance.now() - died) / 1000;
    // What others run is started again by them, maybe later than the one repetition.
    const expected = connection.pid === undefined || outcome === (repeatable ? 'made again' : 'MCP_CONNECTION_FAILED');
    check(
      back < 5 && expected,
      `${target.id}: killed in the middle of a call (${outcome}), back after ${back.toFixed(1)} s, answers after ${answered.toFixed(1)} s`,
    );
  }

  const run = processesOf(marker);
  check(run.length >= reports.length - 2, `${run.length} processes run`);
  await lease.close();
  await pool.close();
  const left = await leftAfter(run, marker, 2_000);
  check(left.length === 0, `after close ${left.length} processes are left ${left.join(', ')}`);
  for (const line of await endAll(rounds, targets)) check(line.good, line.text);
} finally {
  await pool.close();
  await servers.close();
}
console.log(failed === 0 ? 'all good' : `${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
