// One engine, measured by itself: argv = kind, url, runs, concurrency, folder. Writes a line of JSON with CPU per run.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [, , kind, url, runsText, concurrencyText, folder, peersDir] = process.argv;
const runs = Number(runsText);
const concurrency = Number(concurrencyText);
const MODEL = 'claude-sonnet-5-5';
const TOOL = {
  name: 'add',
  description: 'Adds two numbers',
  input_schema: { type: 'object', properties: { a: { type: 'number' }, b: { type: 'number' } }, required: ['a', 'b'] },
};
const peer = async (name) => import(pathToFileURL(createRequire(`${peersDir}/package.json`).resolve(name)).href);

/** The loop that everybody would write: the limit that an engine is measured by. */
const openRaw = async () => {
  const { default: Anthropic } = await import('@anthropic-ai/sdk');
  const client = new Anthropic({ apiKey: 'k', baseURL: url, maxRetries: 0, logLevel: 'off', openTelemetry: false });
  const { call } = rawLoop(client);
  return { run: call };
};

const rawLoop = (client) => {
  const ask = async (messages) => {
    const content = [];
    let stop;
    const stream = await client.messages.create({
      model: MODEL,
      max_tokens: 1024,
      stream: true,
      tools: [TOOL],
      messages,
    });
    for await (const event of stream) {
      if (event.type === 'content_block_start') content[event.index] = { ...event.content_block, json: '' };
      else if (event.type === 'content_block_delta') {
        if (event.delta.type === 'text_delta') content[event.index].text += event.delta.text;
        else content[event.index].json += event.delta.partial_json;
      } else if (event.type === 'message_delta') stop = event.delta.stop_reason;
    }
    return {
      content: content.map(({ json, ...block }) =>
        block.type === 'tool_use' ? { ...block, input: JSON.parse(json) } : block,
      ),
      stop,
    };
  };
  const call = async () => {
    const messages = [{ role: 'user', content: 'What is 1 + 2?' }];
    for (;;) {
      const { content, stop } = await ask(messages);
      if (stop !== 'tool_use') return;
      messages.push({ role: 'assistant', content });
      const results = content
        .filter((block) => block.type === 'tool_use')
        .map((block) => ({
          type: 'tool_result',
          tool_use_id: block.id,
          content: String(block.input.a + block.input.b),
        }));
      messages.push({ role: 'user', content: results });
    }
  };
  return { ask, call };
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

const openLangGraph = async () => {
  const { ChatAnthropic } = await peer('@langchain/anthropic');
  const { createReactAgent } = await peer('@langchain/langgraph/prebuilt');
  const { SqliteSaver } = await peer('@langchain/langgraph-checkpoint-sqlite');
  const { tool } = await peer('@langchain/core/tools');
  const llm = new ChatAnthropic({
    model: MODEL,
    apiKey: 'k',
    anthropicApiUrl: url,
    maxRetries: 0,
    maxTokens: 1024,
    streaming: true,
  });
  const add = tool(async ({ a, b }) => String(a + b), {
    name: 'add',
    description: TOOL.description,
    schema: TOOL.input_schema,
  });
  const agent = createReactAgent({
    llm,
    tools: [add],
    checkpointSaver: SqliteSaver.fromConnString(`${folder}/langgraph.db`),
  });
  let nth = 0;
  return {
    run: async () => {
      const config = { configurable: { thread_id: `t${(nth += 1)}` } };
      await agent.invoke({ messages: [{ role: 'user', content: 'What is 1 + 2?' }] }, config);
    },
  };
};

const openMastra = async () => {
  const { Agent } = await peer('@mastra/core/agent');
  const { Mastra } = await peer('@mastra/core/mastra');
  const { createTool } = await peer('@mastra/core/tools');
  const { LibSQLStore } = await peer('@mastra/libsql');
  const { createAnthropic } = await peer('@ai-sdk/anthropic');
  const { z } = await peer('zod');
  const anthropic = createAnthropic({ apiKey: 'k', baseURL: `${url}/v1` });
  const add = createTool({
    id: 'add',
    description: TOOL.description,
    inputSchema: z.object({ a: z.number(), b: z.number() }),
    execute: async ({ a, b }) => String(a + b),
  });
  const agent = new Agent({
    id: 'bench',
    name: 'bench',
    instructions: 'Add.',
    model: anthropic(MODEL),
    tools: { add },
  });
  const mastra = new Mastra({
    agents: { bench: agent },
    storage: new LibSQLStore({ id: 'bench', url: `file:${folder}/mastra.db` }),
    logger: false,
  });
  const bound = mastra.getAgent('bench');
  return {
    run: async () => {
      const stream = await bound.stream('What is 1 + 2?', { maxSteps: 5 });
      for await (const _ of stream.textStream);
    },
  };
};

const openDbos = async () => {
  const { DBOS } = await peer('@dbos-inc/dbos-sdk');
  const { default: Anthropic } = await import('@anthropic-ai/sdk');
  const client = new Anthropic({ apiKey: 'k', baseURL: url, maxRetries: 0, logLevel: 'off', openTelemetry: false });
  const { ask } = rawLoop(client);
  const work = DBOS.registerWorkflow(
    async () => {
      const messages = [{ role: 'user', content: 'What is 1 + 2?' }];
      for (let turn = 0; ; turn += 1) {
        const { content, stop } = await DBOS.runStep(() => ask(messages), { name: `turn${turn}` });
        if (stop !== 'tool_use') return content;
        messages.push({ role: 'assistant', content });
        const results = await DBOS.runStep(
          async () =>
            content.map((block) => ({
              type: 'tool_result',
              tool_use_id: block.id,
              content: String(block.input.a + block.input.b),
            })),
          { name: `tool${turn}` },
        );
        messages.push({ role: 'user', content: results });
      }
    },
    { name: 'bench' },
  );
  DBOS.setConfig({
    name: 'bench',
    systemDatabaseUrl: 'postgres://postgres@127.0.0.1:5432/clout_bench_dbos',
    logLevel: 'error',
    runAdminServer: false,
  });
  await DBOS.launch();
  return { run: () => work(), close: () => DBOS.shutdown() };
};

const OPEN = {
  raw: openRaw,
  ours: openOurs,
  store: openStoreOnly,
  langgraph: openLangGraph,
  mastra: openMastra,
  dbos: openDbos,
};
const engine = await OPEN[kind]();

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
