import { parseUsd, showUsd, type WorkflowDocument, type WorkflowNode } from '@cloutagent/contract';
import { BYTES_PER_TOKEN, CEILING_FACTOR, costOfLoop, OUTPUT_TOKENS_PER_CALL } from '../budget/estimate.ts';
import { quoteNode } from '../budget/quote.ts';
import { leastCallBound } from '../budget/reserve.ts';
import { isCached, missedCost, missPico } from '../model/cache.ts';
import { priceFor, type PriceTable } from '../model/price.ts';
import { workflowRef } from './node/sub-workflow.ts';

/** What a node is expected to cost, and what it is allowed to. */
export interface NodePrice {
  readonly id: string;
  readonly title: string;
  readonly calls: number;
  /** Least that it cost in runs before; 0 where there was none. */
  readonly minNanoUsd: number;
  readonly expectedNanoUsd: number;
  readonly ceilingNanoUsd: number;
  /** Expected by its size without the prompt cache; 0 where it was learned. */
  readonly plainNanoUsd: number;
}

export interface PriceTag {
  /** Nodes of the outermost workflow; those inside of maps and workflows count with theirs. */
  readonly nodes: readonly NodePrice[];
  readonly minNanoUsd: number;
  readonly expectedNanoUsd: number;
  readonly ceilingNanoUsd: number;
  readonly derivation: readonly string[];
}

/** Items of a map before its input is known. */
const EXPECTED_ITEMS = 5;
/** An input before it is known: a page of text. */
const INPUT_BYTES = 3_000;
/** The tools of a server before they are known, and one of them: the file server's fourteen are as long. */
const SERVER_BYTES = 8_000;
const TOOL_BYTES = 600;
/** Words of an answer that ends an agent's work. */
const ANSWER_TOKENS = 300;

interface Sum {
  readonly calls: number;
  readonly expected: number;
  /** The same where nothing is found in the cache, and where nothing is marked for it. */
  readonly missed: number;
  readonly plain: number;
  /** Most that a token costs more in pico-dollars where it is not found in the cache. */
  readonly missPico: number;
  /** Bound of the dearest first call: less would not let it be sent at all. */
  readonly least: number;
}

const NOTHING: Sum = { calls: 0, expected: 0, missed: 0, plain: 0, missPico: 0, least: 0 };

/** What a node cost in an earlier run, and how much of it was read from the cache. */
export interface PastUse {
  readonly costNanoUsd: number;
  readonly cacheReadTokens: number;
}

interface Around {
  readonly prices: PriceTable;
  readonly workflows: Readonly<Record<string, WorkflowDocument>>;
  /** Of agents that name none. */
  readonly model: string;
  /** Whether the model's server has a prompt cache. */
  readonly caches: boolean;
  /** What each node cost in earlier runs of the same workflow, a map for each run; none: prices come from sizes. */
  readonly history?: readonly ReadonlyMap<string, PastUse>[];
}

/**
 * The price tag of a workflow, from its earlier runs where there are any. The ceiling of a node is what is enforced on it: its own
 * budget, or else four times what is expected, and never less than its first call may cost. Throws PRICE_UNKNOWN.
 */
export const priceWorkflow = (document: WorkflowDocument, around: Around): PriceTag => {
  const model = document.model ?? around.model;
  const { history = [] } = around;
  const nodes = document.nodes.map((node): NodePrice => {
    const { calls, expected, missed, plain, missPico: perToken, least } = sumOf(node, { ...around, model });
    const own = node.budget === undefined ? undefined : parseUsd(node.budget);
    const title = node.data.label ?? node.id;
    if (calls === 0)
      return {
        id: node.id,
        title,
        calls,
        minNanoUsd: 0,
        expectedNanoUsd: 0,
        ceilingNanoUsd: own ?? 0,
        plainNanoUsd: 0,
      };
    const ran = history.map((run) => run.get(node.id)).filter((past) => past !== undefined);
    const quote = quoteNode({
      expectedNanoUsd: expected,
      missedNanoUsd: missed,
      leastNanoUsd: least,
      boundNanoUsd: Infinity,
      history: ran.map((past) => ({ ...past, missedNanoUsd: missedCost(past, perToken) })),
    });
    // A node on a branch that was not always taken is expected as seldom, and needs as much when it is.
    const share = history.length === 0 ? 1 : ran.length / history.length;
    return {
      id: node.id,
      title,
      calls,
      minNanoUsd: share < 1 ? 0 : quote.minNanoUsd,
      expectedNanoUsd: Math.ceil(quote.expectedNanoUsd * share),
      ceilingNanoUsd: own ?? quote.ceilingNanoUsd,
      plainNanoUsd: ran.length === 0 ? plain : 0,
    };
  });
  const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0);
  const ceilingNanoUsd = sum(nodes.map((node) => node.ceilingNanoUsd));
  return {
    nodes,
    minNanoUsd: sum(nodes.map((node) => node.minNanoUsd)),
    expectedNanoUsd: sum(nodes.map((node) => node.expectedNanoUsd)),
    ceilingNanoUsd,
    derivation: derivationOf(nodes, ceilingNanoUsd, history.length),
  };
};

const derivationOf = (nodes: readonly NodePrice[], ceiling: number, runs: number): readonly string[] => [
  ...(runs === 0 ? [] : [`Nodes are expected to cost the mean of the last ${runs} run(s) of the same workflow`]),
  `An input that is not known yet counts ${INPUT_BYTES} bytes, a map ${EXPECTED_ITEMS} items; the tools of a server ${SERVER_BYTES} bytes; an agent with tools is expected to ask three times, another once`,
  ...savingOf(nodes),
  `The ceiling of a node is its own budget, or else ${CEILING_FACTOR} times what is expected, and at least what its first call may cost and what all of them do if nothing is found in the cache`,
  ...nodes
    .filter(({ calls }) => calls > 0)
    .map(
      (node) =>
        `${node.id}: ${node.calls} call(s), expected ${showUsd(node.expectedNanoUsd)}, at most ${showUsd(node.ceilingNanoUsd)}`,
    ),
  `Together at most ${showUsd(ceiling)}`,
];

/** How much less is expected because a loop finds in the cache what it sent before. */
const savingOf = (nodes: readonly NodePrice[]): readonly string[] => {
  const sized = nodes.filter(({ plainNanoUsd }) => plainNanoUsd > 0);
  const saved = sized.reduce((sum, { plainNanoUsd, expectedNanoUsd }) => sum + plainNanoUsd - expectedNanoUsd, 0);
  return saved <= 0
    ? []
    : [`What an agent with tools sends again is expected to be read from the cache, which saves ${showUsd(saved)}`];
};

const times = (sum: Sum, factor: number): Sum => ({
  ...sum,
  calls: sum.calls * factor,
  expected: sum.expected * factor,
  missed: sum.missed * factor,
  plain: sum.plain * factor,
});

const together = (sums: readonly Sum[]): Sum =>
  sums.reduce(
    (total, sum) => ({
      calls: total.calls + sum.calls,
      expected: total.expected + sum.expected,
      missed: total.missed + sum.missed,
      plain: total.plain + sum.plain,
      missPico: Math.max(total.missPico, sum.missPico),
      least: Math.max(total.least, sum.least),
    }),
    NOTHING,
  );

const sumOf = (node: WorkflowNode, around: Around): Sum => {
  switch (node.type) {
    case 'agent':
      return agentSum(node, around);
    case 'map':
      return times(
        together(node.data.nodes.map((inner) => sumOf(inner, around))),
        Math.min(EXPECTED_ITEMS, node.data.maxItems),
      );
    case 'workflow': {
      const inner = around.workflows[workflowRef(node.data)];
      if (inner === undefined) return NOTHING;
      const model = inner.model ?? around.model;
      return together(inner.nodes.map((one) => sumOf(one, { ...around, model })));
    }
    default:
      return NOTHING;
  }
};

const agentSum = (node: Extract<WorkflowNode, { type: 'agent' }>, around: Around): Sum => {
  const { data } = node;
  const price = priceFor(around.prices, data.model ?? around.model);
  const { enabledTools = [], mcpServers = [] } = data;
  const tools = enabledTools.length * TOOL_BYTES || mcpServers.length * SERVER_BYTES;
  const prefix = Buffer.byteLength(data.systemPrompt ?? '') + (mcpServers.length === 0 ? 0 : tools);
  const bytes = prefix + Buffer.byteLength(data.prompt ?? '') + INPUT_BYTES;
  const calls = mcpServers.length === 0 ? 1 : Math.min(3, data.maxIterations ?? 3);
  const { expectedNanoUsd, missedNanoUsd, plainNanoUsd } = costOfLoop(price, {
    promptTokens: Math.ceil(bytes / BYTES_PER_TOKEN),
    warmTokens: 0,
    outputTokens: Array.from({ length: calls }, (_, call) =>
      call === calls - 1 ? ANSWER_TOKENS : OUTPUT_TOKENS_PER_CALL,
    ),
    cached: around.caches && calls > 1,
  });
  // One call alone is marked only where its beginning is long enough to be of use to others.
  const writes = around.caches && (calls > 1 || isCached(price, prefix / BYTES_PER_TOKEN)) ? '5m' : undefined;
  return {
    calls,
    expected: expectedNanoUsd,
    missed: missedNanoUsd,
    plain: plainNanoUsd,
    missPico: missPico(price),
    least: leastCallBound(price, bytes, writes),
  };
};
