import { codeOf, type Usage } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { openConversation, toPrefix, withUser } from '../agent/conversation.ts';
import { runAgent } from '../agent/loop.ts';
import { openFakeTools, textResult } from '../agent/tool-port.fake.ts';
import { ModelCallError } from '../model/port.ts';
import { openFakeModel, say, type Script } from '../model/port.fake.ts';
import { loadPrices, priceFor } from '../model/price.ts';
import { jsonBytes } from '../model/size.ts';
import { openFakeClock, openRig } from '../workflow/drive.fake.ts';
import { openDrive } from '../workflow/drive.ts';
import { openFakeJournal } from '../workflow/journal.fake.ts';
import { estimateTask } from './estimate.ts';
import { limitedLevels, taskLevel } from './levels.ts';
import { quoteNode } from './quote.ts';
import { leastCallBound, loopBound } from './reserve.ts';

/** Mulberry32, so that a failure is found again. */
const randomOf = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
};

/** A model that goes astray: long answers, answers that are cut, turns without end, faults of every kind. */
const astray = (random: () => number): Script => {
  return (request) => {
    if (random() < 0.05) throw new ModelCallError('MODEL_UNAVAILABLE', '', { billing: 'unknown', retryable: true });
    if (random() < 0.05) throw new ModelCallError('MODEL_UNAVAILABLE', '', { billing: 'none', retryable: true });
    const outputTokens = 1 + Math.floor(random() ** 2 * request.maxTokens);
    // The cache is found, written or of no use, as it comes.
    const split = (tokens: number) => {
      const read = request.cache === undefined ? 0 : Math.floor(random() * tokens);
      const write = request.cache === undefined ? 0 : Math.floor(random() * (tokens - read));
      return { inputTokens: tokens - read - write, cacheReadTokens: read, cacheWrite5mTokens: write };
    };
    const usage: Usage = {
      // As many tokens as a request can have, now and then.
      ...split(Math.ceil(jsonBytes([request.system, request.tools, request.messages]) / (1 + 3 * random()))),
      outputTokens,
      cacheWrite1hTokens: 0,
    };
    const stopReason = random() < 0.1 ? 'max_tokens' : random() < 0.6 ? 'end_turn' : 'pause_turn';
    return { ...say('So'), stopReason, usage };
  };
};

const NODES = ['think', 'write', 'check'] as const;

describe('[X3.ceiling] the ceiling that was quoted', () => {
  it('is never exceeded, by the run nor by a node, in 200 runs of models that go astray', async () => {
    const price = priceFor(loadPrices(), 'claude-sonnet-5-5');
    const outcomes = { paused: 0, completed: 0 };
    const others = new Set<string | undefined>();
    for (let seed = 0; seed < 200; seed += 1) {
      const clock = openFakeClock();
      const random = randomOf(seed);
      const journal = openFakeJournal(clock);
      const port = { ...openFakeModel(astray(random)), caches: true };
      const conversation = withUser(openConversation(toPrefix(price.model, 'You work. '.repeat(40), [])), 'Work.');
      const requestBytes = conversation.prefix.bytes + conversation.freshBytes;
      const facts = {
        ...estimateTask(price, {
          requestBytes,
          warmBytes: 0,
          checks: 0,
          writesFiles: seed % 2 === 0,
          simulated: false,
          cached: true,
        }),
        leastNanoUsd: leastCallBound(price, requestBytes, '5m'),
        boundNanoUsd: loopBound(price, requestBytes, 10, 8192, '5m'),
        history: [],
      };
      const quotes = new Map(NODES.map((node) => [node, quoteNode(facts)]));
      const ceiling = [...quotes.values()].reduce((sum, quote) => sum + quote.ceilingNanoUsd, 0);
      const limits = new Map([...quotes].map(([node, quote]) => [node, quote.ceilingNanoUsd]));
      const levels = limitedLevels({ id: 'run_1', projectId: 'p', simulated: false }, ceiling, limits);
      const run = {
        ...(await (await openRig({ script: () => say('') })).journal.claim('run_1')).run,
        limitNanoUsd: ceiling,
      };
      await journal.start(run, levels);
      const drive = openDrive(await journal.claim('run_1'), levels, {
        journal,
        clock,
        random,
        signal: new AbortController().signal,
        onText: () => undefined,
        onEvents: () => undefined,
      });
      const use = { port, price, prefixes: journal, maxTokens: 8192 };
      const ends = await Promise.allSettled(
        NODES.map((prefix) =>
          runAgent(
            drive,
            use,
            openFakeTools([], () => textResult('')),
            { prefix, conversation, maxIterations: 10, cache: 'conversation' },
          ),
        ),
      );
      for (const end of ends) {
        if (end.status === 'fulfilled') outcomes.completed += 1;
        else if (codeOf(end.reason) === 'BUDGET_EXHAUSTED') outcomes.paused += 1;
        else others.add(codeOf(end.reason));
      }
      const [whole, ...nodes] = await journal.budgets([
        { scope: 'run', id: 'run_1' },
        ...NODES.map((node) => taskLevel('run_1', node)),
      ]);
      expect(whole?.spentNanoUsd).toBeLessThanOrEqual(ceiling);
      expect(nodes.every((node, index) => node.spentNanoUsd <= (limits.get(NODES[index] ?? 'think') ?? 0))).toBe(true);
    }
    expect([...others].filter((code) => code !== 'MODEL_UNAVAILABLE')).toEqual([]);
    // It stops some of them, or it would say nothing, and lets others end.
    expect(outcomes.paused).toBeGreaterThan(20);
    expect(outcomes.completed).toBeGreaterThan(20);
  });
});

describe('[X3.plan] what is expected of a node', () => {
  const size = { expectedNanoUsd: 8_000_000, missedNanoUsd: 8_000_000, leastNanoUsd: 12_000_000, boundNanoUsd: 1e9 };

  it('comes from its size, with a ceiling of four times, at least the first call and at most the bound', () => {
    expect(quoteNode({ ...size, history: [] })).toEqual({
      minNanoUsd: 0,
      expectedNanoUsd: 8_000_000,
      ceilingNanoUsd: 32_000_000,
      missedNanoUsd: 8_000_000,
      learnedFrom: 0,
    });
    expect(quoteNode({ ...size, expectedNanoUsd: 1, history: [] }).ceilingNanoUsd).toBe(12_000_000);
    expect(quoteNode({ ...size, boundNanoUsd: 20_000_000, history: [] }).ceilingNanoUsd).toBe(20_000_000);
  });

  it('has a ceiling that is enough if nothing is ever found in the cache, whatever the cache saved before', () => {
    expect(quoteNode({ ...size, missedNanoUsd: 50_000_000, history: [] }).ceilingNanoUsd).toBe(50_000_000);
    const past = (cacheReadTokens: number) => ({
      costNanoUsd: 8_000_000,
      missedNanoUsd: 8_000_000 + cacheReadTokens * 2400,
    });
    expect(quoteNode({ ...size, history: [past(10_000), past(30_000)] })).toMatchObject({
      expectedNanoUsd: 8_000_000,
      ceilingNanoUsd: 56_000_000,
      missedNanoUsd: 56_000_000,
    });
  });

  it('is within 30 percent of what ten runs of the same workflow cost, whatever its size said', () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const random = randomOf(seed);
      // Nodes differ tenfold, and each run of one node by half to three halves.
      const usual = 1_000_000 * (1 + 9 * random());
      const cost = (): number => Math.floor(usual * (0.5 + random()));
      const history = Array.from({ length: 10 }, cost);
      const quote = quoteNode({
        ...size,
        history: history.map((costNanoUsd) => ({ costNanoUsd, missedNanoUsd: costNanoUsd })),
      });
      expect(Math.abs(quote.expectedNanoUsd / usual - 1)).toBeLessThan(0.3);
      expect(quote.minNanoUsd).toBe(Math.min(...history));
      expect(quote.learnedFrom).toBe(10);
    }
  });
});
