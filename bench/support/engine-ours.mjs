import { MODEL, TOOL } from './engine-loop.mjs';

const spenderOf = (id) => ({ id, projectId: 'default', simulated: false });

const newRun = (id) => ({
  ...spenderOf(id),
  document: {
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
  },
  documentHash: id,
  limitNanoUsd: 1e12,
  startedBy: 'bench',
});

/** Ours: durable in SQLite, budgeted on six levels, every step and event stored, text streamed. */
export const openOurs = async ({ url, folder, hangs }) => {
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
    call: async (_, input) => {
      await hangs?.();
      return { content: [{ type: 'text', text: String(input.a + input.b) }], isError: false };
    },
  };
  const levelsOf = (id) =>
    engine.limitedLevels({ ...spenderOf(id), slug: id, startedBy: 'bench' }, 1e12, new Map([['node', 1e11]]));
  const drive = async (id) => {
    const claim = await store.claim(id);
    const driven = engine.openDrive(claim, levelsOf(id), {
      journal: store,
      clock: systemClock,
      random: Math.random,
      signal: new AbortController().signal,
      onText: () => undefined,
      onEvents: () => undefined,
    });
    const conversation = engine.withUser(engine.openConversation(prefix), 'What is 1 + 2?');
    const use = { port, price, prefixes: store, maxTokens: 1024 };
    const end = await engine.runAgent(driven, use, tools, { prefix: 'node', conversation, maxIterations: 5 });
    if (end.failure !== null) throw new Error(end.failure.message);
    await driven.commit({
      events: [{ type: 'run.state', status: 'completed', reason: null }],
      state: { status: 'completed', reason: null },
    });
    return claim;
  };
  let nth = 0;
  return {
    unfinished: () => store.unfinished('default'),
    drive,
    run: async () => {
      const id = `run_${process.pid}_${(nth += 1)}`;
      await store.start(newRun(id), levelsOf(id));
      await drive(id);
    },
    close: () => store.close(),
  };
};

/** Only what the store does for one call: reserve, then settle with a step and two events. */
export const openStoreOnly = async ({ folder, concurrency }) => {
  const { limitedLevels } = await import('@cloutagent/engine');
  const { systemClock } = await import('@cloutagent/kit');
  const { openStore } = await import('@cloutagent/store');
  const store = await openStore({ dir: folder, clock: systemClock });
  const claims = [];
  for (let n = 0; n < concurrency; n += 1) {
    const id = `run_${n}`;
    const levels = limitedLevels({ ...spenderOf(id), slug: id, startedBy: 'bench' }, 1e12, new Map([['node', 1e12]]));
    await store.start(newRun(id), levels);
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
