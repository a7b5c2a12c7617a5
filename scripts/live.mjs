import './support/require-node.mjs';
import { compile } from './support/compile.mjs';
import { ensureInstalled } from './support/install.mjs';

// npm run test:live: a few calls to the real Messages API, with the key in ANTHROPIC_API_KEY and $0.25 at most.

const LIMIT_NANO_USD = 250_000_000;
const MODEL = 'claude-haiku-5-5';

const check = (what, ok, seen) => {
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'}  ${what}${ok ? '' : `: ${JSON.stringify(seen)}`}\n`);
  if (!ok) process.exitCode = 1;
};

const live = async (apiKey) => {
  const { createAnthropicModel, loadPrices, openAgents, openMemoryJournal, projectLevel } =
    await import('../packages/engine/dist/index.js');
  const { systemClock, systemRandom } = await import('../packages/kit/dist/index.js');
  const journal = openMemoryJournal(systemClock);
  const budget = projectLevel('live', false);
  journal.setLimit(budget, LIMIT_NANO_USD);
  const tool = {
    server: 'calc',
    name: 'add',
    description: 'Adds two numbers',
    inputSchema: {
      type: 'object',
      properties: { a: { type: 'number' }, b: { type: 'number' } },
      required: ['a', 'b'],
    },
    annotations: { readOnlyHint: true },
  };
  const model = createAnthropicModel({
    baseUrl: process.env.ANTHROPIC_API_URL || 'https://api.anthropic.com',
    apiKey,
    clock: systemClock,
  });
  const agents = openAgents({
    journal,
    clock: systemClock,
    random: systemRandom,
    model: () => model,
    openTools: async () => ({
      port: {
        tools: () => new Map([['mcp__calc__add', tool]]),
        call: async (_tool, { a, b }) => ({ content: [{ type: 'text', text: String(a + b) }], isError: false }),
      },
      connections: [],
      close: async () => undefined,
    }),
    prices: loadPrices(),
    simulated: false,
    projectId: 'live',
  });
  const base = { name: 'live', model: MODEL, systemPrompt: 'Be brief.', maxTokens: 512 };
  await agents.createAgent({ ...base, id: 'plain' });
  await agents.createAgent({ ...base, id: 'tools', mcpServers: [{ id: 'calc', name: 'calc', command: 'none' }] });

  const created = await agents.executeAgent({ id: 'plain' }, 'Say hello in five words');
  check('create', created.status === 'completed' && created.result !== '', created);
  check('usage', created.cost.promptTokens > 0 && created.cost.completionTokens > 0, created.cost);
  const kinds = [];
  const streamed = await agents.streamExecution({ id: 'plain' }, 'Count from 1 to 20', ({ type }) => kinds.push(type));
  check('stream', streamed.status === 'completed' && kinds.filter((kind) => kind === 'content').length > 1, kinds);
  const used = await agents.executeAgent({ id: 'tools' }, 'What is 40 + 2? Use the tool.');
  check('tools', used.status === 'completed' && used.toolCalls.length > 0 && used.result.includes('42'), used);
  const counted = await agents.countTokens({ id: 'plain' }, 'Say hello in five words').catch(String);
  check('token count', counted === undefined || counted > 0, counted);
  const [{ spentNanoUsd }] = await journal.budgets([budget]);
  check('cost', spentNanoUsd > 0 && spentNanoUsd <= LIMIT_NANO_USD, spentNanoUsd);
  process.stdout.write(`Spent $${(spentNanoUsd / 1e9).toFixed(6)} of $${LIMIT_NANO_USD / 1e9}\n`);
  await agents.close();
};

const key = process.env.ANTHROPIC_API_KEY;
if (!key) {
  process.stderr.write('Set ANTHROPIC_API_KEY: this asks the real Messages API and costs up to $0.25.\n');
  process.exitCode = 2;
} else if ((await ensureInstalled()) && (await compile())) await live(key);
else process.exitCode = 1;
