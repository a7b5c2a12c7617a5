// Drives many agents at once on one budget in the folder argv[2], until all of them are done or wait for money, or until it
// is killed. argv[3] = agents, argv[4] = seed of the faults. Each answer that a provider would bill is a line of bills.jsonl.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, toErrorBody } from '@cloutagent/contract';
import {
  limitedLevels,
  loadPrices,
  ModelCallError,
  openConversation,
  openDrive,
  priceFor,
  runAgent,
  toPrefix,
  withUser,
} from '@cloutagent/engine';
import { systemClock } from '@cloutagent/kit';
import { openStore } from '@cloutagent/store';

const [, , dir, agents, seed] = process.argv;
// Small, so that what is in flight is a part of the dollar: a kill leaves all of it as unknown, at its bound.
const MAX_TOKENS = 200;
const bills = join(dir, 'bills.jsonl');

/** Mulberry32: the same faults for the same seed. */
const randomOf = (start) => {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
};
const random = randomOf(Number(seed));
// Waits between attempts are a fiftieth, so that the test waits for the budget and not for the clock.
const clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 50, signal) };
const pause = () => systemClock.sleep(random() * 20);

const fail = (billing, retryable) => new ModelCallError('MODEL_UNAVAILABLE', 'a fault', { billing, retryable });

const port = {
  source: 'stress',
  async *stream(request, { idempotencyKey }) {
    await pause();
    if (random() < 0.1) throw fail('none', true);
    if (random() < 0.04) throw fail('unknown', true);
    const prompt = JSON.stringify([request.system, request.messages]).length;
    const usage = {
      inputTokens: Math.ceil(prompt / 4),
      outputTokens: 1 + Math.floor(random() * request.maxTokens),
      cacheReadTokens: 0,
      cacheWrite5mTokens: 0,
      cacheWrite1hTokens: 0,
    };
    yield { type: 'start', usage: { ...usage, outputTokens: 1 }, requestId: null };
    await pause();
    appendFileSync(bills, `${JSON.stringify({ key: idempotencyKey, usage })}\n`);
    if (random() < 0.04) throw fail('unknown', true);
    const stopReason = request.messages.length > 4 ? 'end_turn' : 'pause_turn';
    yield {
      type: 'end',
      answer: { content: [{ type: 'text', text: 'x'.repeat(40) }], stopReason, usage, requestId: null },
    };
  },
};

const store = await openStore({ dir, clock: systemClock });
const price = priceFor(loadPrices(), 'claude-sonnet-5-5');
const tools = { tools: () => new Map(), call: async () => ({ content: [], isError: true }) };
const document = (slug) => ({
  format: 1,
  kind: 'change',
  slug,
  title: slug,
  model: price.model,
  maxIterations: 6,
  maxAttempts: 1,
  maxTokens: MAX_TOKENS,
  system: '',
  tasks: [],
});

const work = async (n) => {
  const id = `run_${n}`;
  const run = {
    id,
    projectId: 'default',
    document: document(id),
    documentHash: id,
    simulated: false,
    limitNanoUsd: null,
  };
  const levels = limitedLevels({ ...run, slug: id, startedBy: `user${n % 7}` }, null);
  try {
    await store.start({ ...run, startedBy: `user${n % 7}` }, levels);
  } catch (error) {
    // It was started before the last kill.
    if (codeOf(error) !== 'RUN_EXISTS') throw error;
  }
  const { run: now } = await store.run(id);
  if (['completed', 'failed', 'cancelled'].includes(now.status)) return;
  const claim = await store.claim(id);
  const drive = openDrive(claim, levels, {
    journal: store,
    clock,
    random,
    signal: new AbortController().signal,
    onText: () => undefined,
    onEvents: () => undefined,
  });
  const use = { port, price, prefixes: store, maxTokens: MAX_TOKENS };
  const conversation = withUser(openConversation(toPrefix(price.model, 'You work. '.repeat(20), [])), `Task ${n}`);
  let status = 'completed';
  let reason = null;
  try {
    // Each agent has thirty turns to take, so that the budget is what ends the work.
    for (let round = 0; round < 10; round += 1)
      await runAgent(drive, use, tools, { prefix: `task[${round}]`, conversation, maxIterations: 6 });
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'BUDGET_EXHAUSTED' && code !== 'MODEL_UNAVAILABLE') throw error;
    status = 'paused';
    reason = toErrorBody(error);
  }
  await drive.commit({ events: [{ type: 'run.state', status, reason }], state: { status, reason } });
};

await Promise.all(Array.from({ length: Number(agents) }, (_, n) => work(n)));
await store.close();
process.stdout.write('done\n');
