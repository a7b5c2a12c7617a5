// Engines that keep state, each with its own way to do the same: a call, a tool, a call.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { MODEL, rawLoop, TOOL } from './engine-loop.mjs';

const importFrom = (peersDir) => async (name) =>
  import(pathToFileURL(createRequire(`${peersDir}/package.json`).resolve(name)).href);

export const openLangGraph = async ({ url, folder, peersDir }) => {
  const peer = importFrom(peersDir);
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

export const openMastra = async ({ url, folder, peersDir }) => {
  const peer = importFrom(peersDir);
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

export const openDbos = async ({ url, peersDir }) => {
  const peer = importFrom(peersDir);
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
