import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compile } from '../scripts/support/compile.mjs';
import { ensureInstalled } from '../scripts/support/install.mjs';
import { installPeers } from '../scripts/support/peers.mjs';

// npm run bench -- [AREA…] [--json]: measures, and fails while a goal is missed.

/**
 * One figure. `peers` are the same measurement of others; `ratio` is ours to the best of them; `goal` is an upper bound
 * for `value` or for `ratio`, in words; `ok` is false while it is missed and null where there is no goal.
 * @typedef {{ name: string, value: number, unit: string, peers: Record<string, number>, ratio: number | null, goal: string | null, ok: boolean | null }} Figure
 * @typedef {{ area: string, peers: Record<string, string>, run: (context: { peersDir: string }) => AsyncIterable<Figure> }} Bench
 */

const HERE = fileURLToPath(new URL('.', import.meta.url));
const json = process.argv.includes('--json');
const asked = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const say = (text) => (json ? process.stderr : process.stdout).write(`${text}\n`);

const readable = (number) => (Math.abs(number) >= 100 ? number.toFixed(0) : number.toPrecision(3));

const show = (figure) => {
  const peers = Object.entries(figure.peers).map(([name, value]) => `${name} ${readable(value)}`);
  const verdict = figure.ok === null ? '' : figure.ok ? 'ok' : 'MISSED';
  const cells = [
    figure.name.padEnd(34),
    `${readable(figure.value)} ${figure.unit}`.padStart(14),
    (figure.ratio === null ? '' : `×${figure.ratio.toFixed(2)}`).padStart(8),
    (figure.goal ?? '').padEnd(16),
    verdict.padEnd(6),
    peers.join(', '),
  ];
  say(`  ${cells.join('  ').trimEnd()}`);
};

/** @returns {Promise<Bench[]>} */
const discover = async () => {
  const files = readdirSync(HERE).filter((name) => name.endsWith('.bench.mjs'));
  const all = await Promise.all(files.sort().map((name) => import(`./${name}`)));
  const unknown = asked.filter((area) => !all.some((bench) => bench.area === area));
  if (unknown.length > 0) {
    throw new Error(`No area ${unknown.join(', ')}; there are: ${all.map((bench) => bench.area).join(', ')}`);
  }
  return asked.length === 0 ? all : all.filter((bench) => asked.includes(bench.area));
};

let missed = 0;
try {
  if (!(await ensureInstalled()) || !(await compile())) throw new Error('There is nothing to measure without a build.');
  for (const bench of await discover()) {
    say(bench.area);
    const peersDir = await installPeers(bench.area, bench.peers, { say });
    for await (const figure of bench.run({ peersDir })) {
      if (figure.ok === false) missed += 1;
      if (json) process.stdout.write(`${JSON.stringify({ area: bench.area, ...figure })}\n`);
      else show(figure);
    }
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  missed += 1;
}
process.exitCode = missed > 0 ? 1 : 0;
