// One engine, measured by itself: argv = kind, url, runs, concurrency, folder. Writes a line of JSON with CPU per run.
import { rawLoop } from './engine-loop.mjs';
import { openOurs, openStoreOnly } from './engine-ours.mjs';
import { openDbos, openLangGraph, openMastra } from './engine-peers.mjs';

const [, , kind, url, runsText, concurrencyText, folder, peersDir] = process.argv;
const runs = Number(runsText);
const concurrency = Number(concurrencyText);
/** The loop that everybody would write: the limit that an engine is measured by. */
const openRaw = async () => {
  const { default: Anthropic } = await import('@anthropic-ai/sdk');
  const client = new Anthropic({ apiKey: 'k', baseURL: url, maxRetries: 0, logLevel: 'off', openTelemetry: false });
  const { call } = rawLoop(client);
  return { run: call };
};

/** A loop that has nothing to do but to wait for the disk: the lag that the machine gives by itself. */
const openIdle = async () => {
  const { open } = await import('node:fs/promises');
  const file = await open(`${folder}/idle`, 'w');
  return {
    run: async () => {
      await file.write('x');
      await file.datasync();
    },
  };
};

const OPEN = {
  idle: openIdle,
  raw: openRaw,
  ours: openOurs,
  store: openStoreOnly,
  langgraph: openLangGraph,
  mastra: openMastra,
  dbos: openDbos,
};
const engine = await OPEN[kind]({ url, folder, peersDir, concurrency });

const many = async (count) => {
  let left = count;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      await engine.run();
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
};
// Warm: connections, prepared statements, and code that is compiled while it runs, which takes the CPU of thousands of runs.
await many(Math.max(concurrency, runs));
// The longest time for which the event loop answered nobody.
let lag = 0;
let seen = performance.now();
const timer = setInterval(() => {
  const now = performance.now();
  lag = Math.max(lag, now - seen - 5);
  seen = now;
}, 5);
const before = process.cpuUsage();
const began = performance.now();
await many(runs);
const { user, system } = process.cpuUsage(before);
const wall = performance.now() - began;
clearInterval(timer);
process.stdout.write(`${JSON.stringify({ cpuMs: (user + system) / 1000 / runs, wallMs: wall / runs, lagMs: lag })}\n`);
await engine.close?.();
process.exit(0);
