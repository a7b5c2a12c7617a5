// One way to run an agent, in a process of its own: node agent-peer.mjs PEER URL PEERS_DIR. Measures what it is told to.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [, , peer, url, peersDir] = process.argv;
const MODEL = 'claude-sonnet-5-5';
const SYSTEM = 'You are a calculator.';
const KEY = 'sk-bench';
const require = createRequire(`${peersDir}/package.json`);
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const add = ({ a, b }) => String(a + b);
const INPUT_SCHEMA = {
  type: 'object',
  properties: { a: { type: 'number' }, b: { type: 'number' } },
  required: ['a', 'b'],
};

/** Each gives `ask(prompt, tools, onText)`: one agent execution whose text comes by `onText`. */
const PEERS = {
  ours: async () => {
    const { createAnthropicModel, loadPrices, openAgents, openMemoryJournal } = await import(
      new URL('../../packages/engine/dist/index.js', import.meta.url).href
    );
    const { systemClock, systemRandom } = await import(
      new URL('../../packages/kit/dist/index.js', import.meta.url).href
    );
    const tool = { server: 'calc', name: 'add', description: 'Adds', inputSchema: INPUT_SCHEMA, annotations: {} };
    const tools = new Map([['mcp__calc__add', tool]]);
    const model = createAnthropicModel({ baseUrl: url, apiKey: KEY, clock: systemClock });
    const agents = openAgents({
      journal: openMemoryJournal(systemClock),
      clock: systemClock,
      random: systemRandom,
      model: () => model,
      openTools: async () => ({
        port: {
          tools: () => tools,
          call: async (_tool, input) => ({ content: [{ type: 'text', text: add(input) }], isError: false }),
        },
        connections: [],
        close: async () => undefined,
      }),
      prices: loadPrices(),
      simulated: false,
      projectId: 'bench',
      maxConcurrent: 1000,
    });
    const base = { name: 'a', model: MODEL, systemPrompt: SYSTEM, maxTokens: 1024 };
    const server = { id: 'calc', name: 'calc', command: 'x' };
    await agents.createAgent({ ...base, id: 'plain' });
    await agents.createAgent({ ...base, id: 'tools', mcpServers: [server] });
    return async (prompt, withTools, onText) => {
      const result = await agents.streamExecution({ id: withTools ? 'tools' : 'plain' }, prompt, (chunk) => {
        if (chunk.type === 'content') onText(chunk.content);
      });
      if (result.status !== 'completed') throw new Error(result.error);
      return result.result;
    };
  },
  raw: async () => {
    const { default: Anthropic } = await load('@anthropic-ai/sdk');
    const client = new Anthropic({ baseURL: url, apiKey: KEY, maxRetries: 0 });
    return async (prompt, withTools, onText) => {
      const messages = [{ role: 'user', content: prompt }];
      const tools = withTools
        ? [{ name: 'mcp__calc__add', description: 'Adds', input_schema: INPUT_SCHEMA }]
        : undefined;
      for (let turn = 0; turn < 5; turn += 1) {
        const content = [];
        const stream = await client.messages.create({
          model: MODEL,
          max_tokens: 1024,
          system: SYSTEM,
          messages,
          ...(tools === undefined ? {} : { tools }),
          stream: true,
        });
        for await (const event of stream) {
          if (event.type === 'content_block_start') content[event.index] = { ...event.content_block, json: '' };
          else if (event.type === 'content_block_delta') {
            const block = content[event.index];
            if (event.delta.type === 'text_delta') {
              block.text += event.delta.text;
              onText(event.delta.text);
            } else block.json += event.delta.partial_json;
          }
        }
        const blocks = content.map(({ json, ...block }) =>
          json === '' ? block : { ...block, input: JSON.parse(json) },
        );
        const uses = blocks.filter(({ type }) => type === 'tool_use');
        if (uses.length === 0) return blocks.map(({ text }) => text).join('');
        messages.push({ role: 'assistant', content: blocks });
        const results = uses.map(({ id, input }) => ({ type: 'tool_result', tool_use_id: id, content: add(input) }));
        messages.push({ role: 'user', content: results });
      }
      throw new Error('too many turns');
    };
  },
  'ai-sdk': async () => {
    const { streamText, stepCountIs, tool, jsonSchema } = await load('ai');
    const { createAnthropic } = await load('@ai-sdk/anthropic');
    const model = createAnthropic({ baseURL: `${url}/v1`, apiKey: KEY })(MODEL);
    const tools = {
      mcp__calc__add: tool({ description: 'Adds', inputSchema: jsonSchema(INPUT_SCHEMA), execute: add }),
    };
    return async (prompt, withTools, onText) => {
      const result = streamText({
        model,
        system: SYSTEM,
        prompt,
        maxOutputTokens: 1024,
        maxRetries: 0,
        stopWhen: stepCountIs(5),
        ...(withTools ? { tools } : {}),
        onError: ({ error }) => {
          throw error;
        },
      });
      let text = '';
      for await (const part of result.textStream) {
        text += part;
        onText(part);
      }
      return text;
    };
  },
  langgraph: async () => {
    const { createReactAgent } = await load('@langchain/langgraph/prebuilt');
    const { ChatAnthropic } = await load('@langchain/anthropic');
    const { tool } = await load('@langchain/core/tools');
    const llm = new ChatAnthropic({
      model: MODEL,
      apiKey: KEY,
      anthropicApiUrl: url,
      maxTokens: 1024,
      maxRetries: 0,
      streaming: true,
    });
    const adder = tool(add, { name: 'mcp__calc__add', description: 'Adds', schema: INPUT_SCHEMA });
    const plain = createReactAgent({ llm, tools: [], prompt: SYSTEM });
    const tooled = createReactAgent({ llm, tools: [adder], prompt: SYSTEM });
    return async (prompt, withTools, onText) => {
      const stream = await (withTools ? tooled : plain).stream(
        { messages: [{ role: 'user', content: prompt }] },
        { streamMode: 'messages' },
      );
      let text = '';
      for await (const [message] of stream) {
        const part = typeof message.content === 'string' ? message.content : (message.content[0]?.text ?? '');
        if (part === '' || message.getType() !== 'ai') continue;
        text += part;
        onText(part);
      }
      return text;
    };
  },
  mastra: async () => {
    const { Agent } = await load('@mastra/core/agent');
    const { createTool } = await load('@mastra/core/tools');
    const { createAnthropic } = await load('@ai-sdk/anthropic');
    const { z } = await load('zod');
    const model = createAnthropic({ baseURL: `${url}/v1`, apiKey: KEY })(MODEL);
    const adder = createTool({
      id: 'mcp__calc__add',
      description: 'Adds',
      inputSchema: z.object({ a: z.number(), b: z.number() }),
      execute: async (input) => add(input.context ?? input),
    });
    const options = { id: 'calc', name: 'calc', instructions: SYSTEM, model, maxRetries: 0 };
    const plain = new Agent(options);
    const tooled = new Agent({ ...options, tools: { mcp__calc__add: adder } });
    return async (prompt, withTools, onText) => {
      const stream = await (withTools ? tooled : plain).stream(prompt, { maxSteps: 5 });
      let text = '';
      for await (const part of stream.textStream) {
        text += part;
        onText(part);
      }
      return text;
    };
  },
};

const ask = await PEERS[peer]();

/** Runs `count` executions, `parallel` at a time: CPU of this process and milliseconds to each first text. */
const measure = async ({ prompt, tools, count, parallel, expect }) => {
  const before = process.cpuUsage();
  const firsts = [];
  let next = 0;
  const work = async () => {
    while (next < count) {
      next += 1;
      const began = performance.now();
      let first;
      const text = await ask(prompt, tools, () => {
        first ??= performance.now() - began;
      });
      if (!text.includes(expect)) throw new Error(`${peer} answered ${JSON.stringify(text)}`);
      firsts.push(first);
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  const { user, system } = process.cpuUsage(before);
  return { cpuUs: (user + system) / count, firsts };
};

process.on('message', (task) => {
  measure(task).then(
    (result) => process.send({ result }),
    (/** @type {unknown} */ error) => process.send({ error: error instanceof Error ? error.stack : String(error) }),
  );
});
process.send({ ready: true });
