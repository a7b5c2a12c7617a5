// One engine, measured by itself: argv = kind, url, runs, concurrency, folder. Writes a line of JSON with CPU per run.
import { MODEL, rawLoop, TOOL } from './engine-loop.mjs';
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

/** Ours: durable in SQLite, budgeted on six levels, every step and event stored, text streamed. */
const openOurs = async () => {
  const engine = await import('@cloutagent/engine');
  const { systemClock } = await import('@cloutagent/kit');
  const { openStore } = await import('@cloutagent/store');
  const store = await openStore({ dir: folder, clock: systemClock });
  const level = { scope: 'project', id: 'default' };
  await store.setLimit({ level, period: 'day', limitNanoUsd: 1e15, by: 'bench' });
  const port = engine.createAnthropicModel({ baseUrl: url, apiKey: 'k', clock: systemClock });
  const price = engine.priceFor(engine.loadPrices(), MODEL);
  const prefix = engine.toPrefix(MODEL, '', [{ ...TOOL, name: 'mcp__bench__add' }]);
  const tool = {
    server: 'bench',
    name: 'add',
    description: TOOL.description,
    inputSchema: TOOL.input_schema,
    annotations: { readOnlyHint: true },
  };
  const byName = new Map([
    ['mcp__bench__add', tool],
    ['add', tool],
  ]);
  const tools = {
    tools: () => byName,
    call: async (_, input) => ({ content: [{ type: 'text', text: String(input.a + input.b) }], isError: false }),
  };
  let nth = 0;
  return {
    run: async () => {
      const id = `run_${process.pid}_${(nth += 1)}`;
      const document = {
        format: 1,
        kind: 'change',
        slug: id,
        title: id,
        model: MODEL,
        maxIterations: 5,
        maxAttempts: 1,
        maxTokens: 1024,
        system: '',
        tasks: [],
      };
      const spender = { id, projectId: 'default', simulated: false };
      const levels = engine.limitedLevels(
        { ...spender, slug: id, startedBy: 'bench' },
        1e12,
        new Map([['node', 1e11]]),
      );
      await store.start({ ...spender, document, documentHash: id, limitNanoUsd: 1e12, startedBy: 'bench' }, levels);
      const claim = await store.claim(id);
      const drive = engine.openDrive(claim, levels, {
        journal: store,
        clock: systemClock,
        random: Math.random,
        signal: new AbortController().signal,
        onText: () => undefined,
        onEvents: () => undefined,
      });
      const conversation = engine.withUser(engine.openConversation(prefix), 'What is 1 + 2?');
      const use = { port, price, prefixes: store, maxTokens: 1024 };
      const end = await engine.runAgent(drive, use, tools, { prefix: 'node', conversation, maxIterations: 5 });
      if (end.failure !== null) throw new Error(end.failure.message);
      await drive.commit({
        events: [{ type: 'run.state', status: 'completed', reason: null }],
        state: { status: 'completed', reason: null },
      });
    },
    close: () => store.close(),
  };
};

/** Only what the store does for one call: reserve, then settle with a step and two events. */
const openStoreOnly = async () => {
  const { limitedLevels } = await import('@cloutagent/engine');
  const { systemClock } = await import('@cloutagent/kit');
  const { openStore } = await import('@cloutagent/store');
  const store = await openStore({ dir: folder, clock: systemClock });
  const claims = [];
  for (let n = 0; n < concurrency; n += 1) {
    const id = `run_${n}`;
    const spender = { id, projectId: 'default', simulated: false };
    const document = {
      format: 1,
      kind: 'change',
      slug: id,
      title: id,
      model: MODEL,
      maxIterations: 5,
      maxAttempts: 1,
      maxTokens: 1024,
      system: '',
      tasks: [],
    };
    const levels = limitedLevels({ ...spender, slug: id, startedBy: 'bench' }, 1e12, new Map([['node', 1e12]]));
    await store.start({ ...spender, document, documentHash: id, limitNanoUsd: 1e12, startedBy: 'bench' }, levels);
    claims.push(await store.claim(id));
  }
  let nth = 0;
  const usage = {
    inputTokens: 200,
    cacheReadTokens: 0,
    cacheWrite5mTokens: 0,
    cacheWrite1hTokens: 0,
    outputTokens: 40,
  };
  const money = { usd: '0.001000000', nanoUsd: 1_000_000 };
  return {
    run: async () => {
      const n = (nth += 1);
      const claim = claims[n % concurrency];
      const id = `rsv_${n}`;
      const key = `node/turn[${n}]`;
      await store.commit(claim, {
        money: [{ op: 'reserve', id, stepKey: key, attempt: 1, model: MODEL, priceId: 'p', amountNanoUsd: 1_000_000 }],
      });
      await store.commit(claim, {
        money: [{ op: 'settle', id, outcome: 'known', amountNanoUsd: 900_000, usage, requestId: 'req' }],
        steps: [
          {
            key,
            kind: 'model',
            name: MODEL,
            inputHash: 'h',
            input: { maxTokens: 1024 },
            output: { content: [{ type: 'text', text: 'word '.repeat(40) }] },
            isError: false,
            usage,
            costNanoUsd: 900_000,
            startedAt: 1,
            endedAt: 2,
          },
        ],
        // And the one that shows the money, which the store adds.
        events: [
          { type: 'model.finished', step: key, stopReason: 'end_turn', text: 'word '.repeat(40), usage, cost: money },
        ],
      });
    },
    close: () => store.close(),
  };
};

const OPEN = {
  raw: openRaw,
  ours: openOurs,
  store: openStoreOnly,
  langgraph: openLangGraph,
  mastra: openMastra,
  dbos: openDbos,
};
const engine = await OPEN[kind]({ url, folder, peersDir });

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
// Warm: connections, compiled code, prepared statements.
await many(Math.max(concurrency, Math.floor(runs / 4)));
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
