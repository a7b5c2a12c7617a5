import { showUsd, toMoney, type Plan, type RunDocument } from '@cloutagent/contract';
import {
  answersOf,
  BYTES_PER_TOKEN,
  CEILING_FACTOR,
  ceilingOf,
  estimateTask,
  GROWTH_TOKENS,
  hashOf,
  leastCallBound,
  loopBound,
  missedCost,
  missPico,
  openConversation,
  priceFor,
  projectLevel,
  quoteNode,
  withUser,
  type Prefix,
  type Price,
} from '@cloutagent/engine';
import { toIso } from '@cloutagent/kit';
import { changeIdentity, readChange } from '@cloutagent/openspec';
import { freeOf, type LaneDeps } from './deps.ts';
import { toDocument } from './document.ts';
import { commandTasks, lockOf, taskFaults, type TaskFault } from './faults.ts';
import { taskKey } from './task.ts';
import { runTools, prefixOf } from './tools.ts';

export interface PlanRequest {
  readonly slug: string;
  /** The configured model where absent. */
  readonly model?: string | undefined;
  readonly simulated: boolean;
}

/** A plan and the document whose cost it quotes. */
export interface Draft {
  readonly plan: Plan;
  readonly document: RunDocument;
  readonly faults: readonly TaskFault[];
}

/**
 * The price tag of a change's open tasks.
 * Errors: CHANGE_NOT_FOUND, CHANGE_ALREADY_ARCHIVED, PRICE_UNKNOWN, MODEL_RETIRED, MCP_CONNECTION_FAILED.
 */
export const planChange = async (deps: LaneDeps, request: PlanRequest): Promise<Plan> =>
  (await draftRun(deps, request)).plan;

export const draftRun = async (deps: LaneDeps, request: PlanRequest): Promise<Draft> => {
  const { slug, simulated } = request;
  const model = request.model ?? deps.config.model;
  const price = priceFor(deps.prices, model, toIso(deps.clock.now()).slice(0, 10), deps.config.budget.allowUnpriced);
  const change = await readChange(deps.project, slug);
  const identity = await changeIdentity(deps.project, slug);
  const document = toDocument(change, { root: deps.project.root, model, config: deps.config.run, identity });
  const prefix = prefixOf(document, runTools(await deps.tools()));
  const history = (await deps.journal.nodeHistory?.(deps.projectId, hashOf(document), simulated)) ?? [];
  const calls = document.maxAttempts * document.maxIterations;
  const caches = deps.caches?.({ simulated }) ?? true;
  const writes = caches ? '5m' : undefined;
  const tasks = document.tasks.map((task, index) => {
    const requestBytes = bytesOf(prefix, task);
    const writesFiles = task.checks.some((check) => check.kind !== 'run');
    const estimate = estimateTask(price, {
      requestBytes,
      // All tasks begin with the same tools and system prompt.
      warmBytes: index === 0 ? 0 : prefix.bytes,
      checks: task.checks.length,
      writesFiles,
      simulated,
      cached: caches,
    });
    const node = taskKey(task.id);
    const least = leastCallBound(price, requestBytes, writes);
    const quote = quoteNode({
      expectedNanoUsd: estimate.expectedNanoUsd,
      missedNanoUsd: estimate.missedNanoUsd,
      leastNanoUsd: least,
      boundNanoUsd: loopBound(price, requestBytes, calls, document.maxTokens, writes),
      history: history
        .filter((row) => row.node === node)
        .map((row) => ({ ...row, missedNanoUsd: missedCost(row, missPico(price)) })),
    });
    return { task, estimate, quote, least, requestBytes };
  });
  const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0);
  const expected = sum(tasks.map(({ quote }) => quote.expectedNanoUsd));
  const min = sum(tasks.map(({ quote }) => quote.minNanoUsd));
  // Not the sum of the tasks' own ceilings: one call's bound has to fit into the whole only once.
  const ceiling =
    tasks.length === 0
      ? 0
      : ceilingOf(
          expected,
          Math.max(sum(tasks.map(({ quote }) => quote.missedNanoUsd)), ...tasks.map(({ least }) => least)),
        );
  const [budget] = await deps.journal.budgets([projectLevel(deps.projectId, simulated)]);
  const free = budget === undefined ? null : freeOf(budget);
  const learnedFrom = Math.max(0, ...tasks.map(({ quote }) => quote.learnedFrom));
  const faults = taskFaults(document, change.taskList);
  const locked = await lockOf(deps, slug);
  return {
    document,
    faults,
    plan: {
      format: 1,
      slug,
      model,
      simulated,
      pricesAsOf: deps.prices.asOf,
      tasks: tasks.map((one) => ({
        id: one.task.id,
        title: one.task.title,
        checks: one.task.checks.length,
        expectedCalls: one.estimate.calls,
        min: toMoney(one.quote.minNanoUsd),
        expected: toMoney(one.quote.expectedNanoUsd),
        ceiling: toMoney(one.quote.ceilingNanoUsd),
      })),
      min: toMoney(min),
      expected: toMoney(expected),
      ceiling: toMoney(ceiling),
      derivation: derivationOf(price, deps.prices.asOf, prefix, {
        bytes: tasks[0]?.requestBytes ?? prefix.bytes,
        learnedFrom,
        answers: answersOf(simulated),
        // By size: what was learned says no more than what it came to.
        saved: sum(
          tasks.map(({ quote, estimate }) =>
            quote.learnedFrom > 0 ? 0 : estimate.plainNanoUsd - estimate.expectedNanoUsd,
          ),
        ),
      }),
      budget: {
        limit: budget === undefined || budget.limitNanoUsd === null ? null : toMoney(budget.limitNanoUsd),
        spent: toMoney(budget?.spentNanoUsd ?? 0),
        held: toMoney(budget?.heldNanoUsd ?? 0),
        free: free === null ? null : toMoney(free),
      },
      warnings: [
        ...(locked === undefined ? [] : [locked]),
        ...warningsOf(document, { faults, price, trusted: deps.trusted, expected, free }),
      ],
    },
  };
};

type DocumentTask = RunDocument['tasks'][number];

/** Of the real first request of the task. */
const bytesOf = (prefix: Prefix, task: DocumentTask): number =>
  prefix.bytes + withUser(openConversation(prefix), task.prompt).freshBytes;

const perMillion = (picoPerToken: number): string => `$${(picoPerToken / 1_000_000).toString()}`;
const number = (value: number): string => value.toLocaleString('en-US');

const derivationOf = (
  price: Price,
  asOf: string,
  prefix: Prefix,
  {
    bytes,
    learnedFrom,
    saved,
    answers,
  }: {
    readonly bytes: number;
    readonly learnedFrom: number;
    readonly saved: number;
    readonly answers: ReturnType<typeof answersOf>;
  },
): string[] => [
  `${price.model} costs ${perMillion(price.base.input)} per million tokens of input and ${perMillion(price.base.output)} of output (prices of ${asOf}).`,
  'A task with file checks takes three calls (look, write, close), any other two.',
  `A task's first request has ${number(bytes)} bytes with the system prompt and ${prefix.tools.length} tools, counted as a token for every ${BYTES_PER_TOKEN}; each turn adds ${GROWTH_TOKENS} tokens to the next request.`,
  `Each call is answered with ${answers.perCall} tokens, and each check adds ${answers.perCheck}.`,
  ...(saved <= 0
    ? []
    : [
        `What is sent again is read from the cache at ${perMillion(price.base.cacheRead)} per million tokens, and what is new is written to it at ${perMillion(price.base.cacheWrite5m)}, which saves ${showUsd(saved)}.`,
      ]),
  ...(learnedFrom === 0
    ? []
    : [
        `Tasks that ran before with the same document are expected to cost the mean of their last runs (up to ${learnedFrom}).`,
      ]),
  `The ceiling is ${CEILING_FACTOR} times the expected cost, and at least the upper bound of one call and what the calls cost if nothing is found in the cache. It becomes the limit of the run and that of each task the task's, unless --budget names another, and no call is sent whose upper bound does not fit what is left of them.`,
];

const warningsOf = (
  document: RunDocument,
  facts: {
    readonly faults: readonly TaskFault[];
    readonly price: Price;
    readonly trusted: boolean;
    readonly expected: number;
    readonly free: number | null;
  },
): string[] => {
  const { tasks } = document;
  const named = (some: readonly DocumentTask[]): string => some.map((task) => task.id).join(', ');
  const commands = commandTasks(document);
  const unchecked = tasks.filter((task) => task.checks.length + task.unreadableChecks.length === 0);
  return [
    ...(tasks.length === 0 ? ['Every task of this change is done; there is nothing to run'] : []),
    ...facts.faults.map(({ message }) => message),
    ...(commands.length > 0 && !facts.trusted
      ? [
          `Checks of the tasks ${named(commands)} run commands, which this folder is not trusted to do; look at them, then: clout trust`,
        ]
      : []),
    ...(unchecked.length > 0 ? [`Tasks without checks are ticked on the agent's word: ${named(unchecked)}`] : []),
    ...(facts.free !== null && facts.free < facts.expected
      ? [
          `The project's budget has ${showUsd(facts.free)} left, less than the expected ${showUsd(facts.expected)}; the run will pause`,
        ]
      : []),
    ...(facts.price.retiresOn === null ? [] : [`${document.model} is served only until ${facts.price.retiresOn}`]),
  ];
};
