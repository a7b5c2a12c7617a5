import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  WorkflowDocument,
  type BudgetLevel,
  type RunDetail,
  type RunEvent,
  type RunStatus,
  type WorkflowRunDocument,
} from '@cloutagent/contract';
import { systemClock, type Clock } from '@cloutagent/kit';
import { openStore, type Store } from '@cloutagent/store';
import type * as z from 'zod';
import {
  executeWorkflow,
  hashOf,
  loadPrices,
  type ExecuteDeps,
  type ExecuteWorkflowOptions,
  type ModelPort,
  type ModelRequest,
  type WorkflowPorts,
} from '@cloutagent/engine';
// oxlint-disable-next-line no-restricted-imports -- fakes are no public names of a package
import { openFakeTools, textResult, toolOf, type FakeTools } from '../../packages/engine/src/agent/tool-port.fake.ts';
// oxlint-disable-next-line no-restricted-imports -- fakes are no public names of a package
import { openFakeModel, say, type FakeModel, type Script } from '../../packages/engine/src/model/port.fake.ts';

/** The text that the model is asked last. */
export const lastText = ({ messages }: ModelRequest): string => {
  const content = messages.at(-1)?.content ?? '';
  return typeof content === 'string' ? content : JSON.stringify(content);
};

/** Answers every agent with its system prompt and its input, so that outputs show what came in. */
export const echo: Script = (request) => say(`<${request.system}:${lastText(request)}>`);

export interface WorkflowBench extends AsyncDisposable {
  readonly dir: string;
  readonly store: Store;
  readonly model: FakeModel;
  readonly tools: FakeTools;
  readonly deps: ExecuteDeps;
  readonly events: RunEvent[];
  start(
    document: z.input<typeof WorkflowDocument>,
    over?: Partial<WorkflowRunDocument> & StartOptions,
  ): Promise<string>;
  /** Drives as a process does that starts or comes back. */
  drive(runId: string, options?: Partial<ExecuteWorkflowOptions> & { readonly store?: Store }): Promise<RunStatus>;
  detail(runId: string): Promise<RunDetail>;
  /** Outputs of the nodes that have ended, by place. */
  outputs(runId: string): Promise<Readonly<Record<string, unknown>>>;
}

interface StartOptions {
  readonly id?: string;
  readonly limitNanoUsd?: number | null;
}

export const levelsOf = (run: { readonly id: string }): readonly BudgetLevel[] => [
  { scope: 'project', id: 'default' },
  { scope: 'run', id: run.id },
];

export const runDocument = (
  document: z.input<typeof WorkflowDocument>,
  over: Partial<WorkflowRunDocument> = {},
): WorkflowRunDocument => ({
  format: 1,
  kind: 'workflow',
  slug: 'test',
  title: 'Test',
  model: 'claude-sonnet-5-5',
  input: '',
  variables: {},
  workflow: WorkflowDocument.parse(document),
  workflows: {},
  ...over,
});

/** Runs of workflows over SQLite in a folder of their own, with a scripted model and counted tools. */
export const openWorkflowBench = async (
  options: {
    readonly script?: Script;
    readonly clock?: Clock;
    readonly ports?: Partial<WorkflowPorts>;
    readonly wrap?: (model: ModelPort) => ModelPort;
  } = {},
): Promise<WorkflowBench> => {
  const { script = echo, clock = systemClock, wrap = (port) => port } = options;
  const dir = await mkdtemp(path.join(tmpdir(), 'workflow-'));
  const store = await openStore({ dir, clock });
  const model = openFakeModel(script);
  const tools = openFakeTools(
    [toolOf('look', { readOnlyHint: true }), toolOf('send'), toolOf('put', { idempotentHint: true })],
    ({ tool, input }) => textResult(`${tool} ${JSON.stringify(input)}`, JSON.stringify(input).includes('fail')),
  );
  const deps: ExecuteDeps = {
    journal: store,
    signals: store,
    clock,
    random: () => 0.5,
    ports: {
      model: () => wrap(model),
      tools: async () => tools,
      prices: loadPrices(),
      prefixes: store,
      defaults: { maxTokens: 1024, maxIterations: 10, concurrency: 32 },
      ...options.ports,
    },
  };
  const events: RunEvent[] = [];
  let runs = 0;
  return {
    dir,
    store,
    model,
    tools,
    deps,
    events,
    start: async (document, { id = `run_${(runs += 1)}`, limitNanoUsd = null, ...over } = {}) => {
      const pinned = runDocument(document, over);
      const run = {
        id,
        projectId: 'default',
        document: pinned,
        documentHash: hashOf(pinned),
        simulated: true,
        limitNanoUsd,
      };
      await store.start(
        run,
        levelsOf(run).map((level) => ({ ...level, limitNanoUsd: level.scope === 'run' ? limitNanoUsd : null })),
      );
      return id;
    },
    drive: async (runId, { store: other, ...over } = {}) =>
      executeWorkflow(
        other === undefined
          ? deps
          : { ...deps, journal: other, signals: other, ports: { ...deps.ports, prefixes: other } },
        runId,
        {
          signal: new AbortController().signal,
          unknown: undefined,
          onText: () => undefined,
          onEvents: (more) => void events.push(...more),
          levels: levelsOf,
          ...over,
        },
      ),
    detail: (runId) => store.run(runId),
    outputs: async (runId) =>
      Object.fromEntries(
        (await store.run(runId)).steps
          .filter(({ kind }) => kind === 'node')
          .map(({ key, output }) => [key, (output as { output: string }).output]),
      ),
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
};
