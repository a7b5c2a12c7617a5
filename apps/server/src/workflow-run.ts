import {
  CloutError,
  codeOf,
  parseUsd,
  toMoney,
  type Plan,
  type RunDetail,
  type WorkflowDocument,
  type WorkflowNode,
  type WorkflowRunDocument,
  type WorkflowStart,
  type WorkflowVerdict,
} from '@cloutagent/contract';
import {
  adviseWorkflow,
  hashOf,
  inspectWorkflow,
  keptRows,
  limitedLevels,
  nodeLimits,
  priceWorkflow,
  replayWorkflow,
  workflowRef,
  type PriceTag,
  type ReplayReport,
} from '@cloutagent/engine';
import { newId } from '@cloutagent/kit';
import type { Workbench } from './workbench.ts';

/** Throws WORKFLOW_INVALID (details: the findings) for what cannot be run. */
const requireRunnable = (workflow: WorkflowDocument, workflows: WorkflowStart['workflows']): void => {
  const findings = inspectWorkflow(workflow, workflows);
  const [first] = findings;
  if (first === undefined) return;
  const where = first.node === null ? '' : ` (node ${first.node})`;
  const more = findings.length > 1 ? `, and ${findings.length - 1} more finding(s)` : '';
  throw new CloutError('WORKFLOW_INVALID', `${first.message}${where}${more}`, { details: { findings } });
};

/** Workflows that a document names, those that the request does not bring along from the stored ones; what is missing is left to `inspectWorkflow`. */
const withStored = async (
  { workflows: stored }: Workbench,
  document: WorkflowDocument,
  given: WorkflowStart['workflows'],
): Promise<WorkflowStart['workflows']> => {
  const known = new Map(Object.entries(given));
  const open: WorkflowNode[] = [document, ...known.values()].flatMap(({ nodes }) => nodes);
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.type === 'map') open.push(...node.data.nodes);
    if (node.type !== 'workflow') continue;
    const ref = workflowRef(node.data);
    if (known.has(ref)) continue;
    try {
      const { workflow } = await stored.read(node.data.workflow, node.data.version);
      known.set(ref, workflow);
      open.push(...workflow.nodes);
    } catch (error) {
      if (codeOf(error) !== 'WORKFLOW_NOT_FOUND') throw error;
    }
  }
  return Object.fromEntries(known);
};

/** Whether a workflow can be run here, with everything that is to be said about it. */
export const judgeWorkflow = async (
  bench: Workbench,
  workflow: WorkflowDocument,
  given: WorkflowStart['workflows'],
): Promise<WorkflowVerdict> => {
  const workflows = await withStored(bench, workflow, given);
  const broken = inspectWorkflow(workflow, workflows);
  if (broken.length > 0) return { valid: false, findings: [...broken] };
  const servers = new Set((await bench.mcp.statuses(false)).map(({ config }) => config.id));
  const findings = [...adviseWorkflow(workflow, { prices: bench.prices, model: bench.settings.config.model, servers })];
  return { valid: findings.every(({ severity }) => severity !== 'error'), findings };
};

const pin = async (bench: Workbench, start: WorkflowStart): Promise<WorkflowRunDocument> => {
  const { workflow, input, variables } = start;
  const workflows = await withStored(bench, workflow, start.workflows);
  requireRunnable(workflow, workflows);
  const slug = workflow.name ?? 'workflow';
  const model = start.model ?? workflow.model ?? bench.settings.config.model;
  return {
    format: 1,
    kind: 'workflow',
    slug,
    title: workflow.title ?? slug,
    model,
    input,
    variables,
    workflow,
    workflows,
  };
};

const tagOf = async (bench: Workbench, document: WorkflowRunDocument, simulated: boolean): Promise<PriceTag> => {
  const { workflow, workflows, model } = document;
  const history = await bench.store.workflowHistory(bench.projectId, document, simulated);
  return priceWorkflow(workflow, {
    prices: bench.prices,
    workflows,
    model,
    history,
    caches: bench.caches({ simulated }),
  });
};

/** Price tag of a workflow. Errors: WORKFLOW_INVALID, PRICE_UNKNOWN. */
export const planWorkflow = async (bench: Workbench, start: WorkflowStart): Promise<Plan> => {
  const document = await pin(bench, start);
  const tag = await tagOf(bench, document, start.simulate);
  const budget = await bench.projectBudget(start.simulate);
  const { limitNanoUsd = null, spentNanoUsd = 0, heldNanoUsd = 0 } = budget ?? {};
  return {
    format: 1,
    slug: document.slug,
    model: document.model,
    simulated: start.simulate,
    pricesAsOf: bench.prices.asOf,
    tasks: tag.nodes.map((node) => ({
      id: node.id,
      title: node.title,
      checks: 0,
      expectedCalls: node.calls,
      min: toMoney(node.minNanoUsd),
      expected: toMoney(node.expectedNanoUsd),
      ceiling: toMoney(node.ceilingNanoUsd),
    })),
    min: toMoney(tag.minNanoUsd),
    expected: toMoney(tag.expectedNanoUsd),
    ceiling: toMoney(tag.ceilingNanoUsd),
    derivation: [...tag.derivation],
    budget: {
      limit: limitNanoUsd === null ? null : toMoney(limitNanoUsd),
      spent: toMoney(spentNanoUsd),
      held: toMoney(heldNanoUsd),
      free: limitNanoUsd === null ? null : toMoney(Math.max(0, limitNanoUsd - spentNanoUsd - heldNanoUsd)),
    },
    warnings: document.workflow.nodes.some(({ type }) => type === 'task-graph')
      ? [
          'The tasks of a change are not in this price: clout plan CHANGE names theirs; give the run a --budget that holds both',
        ]
      : [],
  };
};

const amount = (text: string | undefined): number | undefined => (text === undefined ? undefined : parseUsd(text));

/** Writes a run of a workflow without driving it, and gives its id. Errors: WORKFLOW_INVALID, PRICE_UNKNOWN. */
export const startWorkflow = async (bench: Workbench, start: WorkflowStart, startedBy: string): Promise<string> => {
  const document = await pin(bench, start);
  const tag = await tagOf(bench, document, start.simulate);
  const limit = amount(start.budget) ?? amount(document.workflow.budget) ?? tag.ceilingNanoUsd;
  return write(bench, document, { simulated: start.simulate, limitNanoUsd: limit, startedBy, tag });
};

const write = async (
  bench: Workbench,
  document: WorkflowRunDocument,
  options: {
    readonly simulated: boolean;
    readonly limitNanoUsd: number;
    readonly startedBy: string;
    readonly tag: PriceTag;
    readonly seeded?: RunDetail['steps'];
  },
): Promise<string> => {
  const { simulated, limitNanoUsd, seeded, startedBy, tag } = options;
  const id = newId('run', bench.clock);
  const run = {
    id,
    projectId: bench.projectId,
    document,
    documentHash: hashOf(document),
    simulated,
    limitNanoUsd,
    startedBy,
    ...(seeded === undefined ? {} : { seeded }),
  };
  const quoted = new Map(tag.nodes.filter(({ calls }) => calls > 0).map((node) => [node.id, node.ceilingNanoUsd]));
  // A node's own budget is its author's word, which no budget of the run changes.
  const own = new Set(document.workflow.nodes.filter(({ budget }) => budget !== undefined).map((node) => node.id));
  const shared = nodeLimits(quoted, tag.ceilingNanoUsd, limitNanoUsd);
  const caps = new Map([...shared, ...[...quoted].filter(([id]) => own.has(id))]);
  const spender = { id, projectId: bench.projectId, simulated, slug: document.slug, startedBy };
  await bench.store.start(run, limitedLevels(spender, limitNanoUsd, caps));
  return id;
};

const workflowOf = async (bench: Workbench, runId: string): Promise<WorkflowRunDocument> => {
  const document = await bench.store.document(runId);
  if (document.kind === 'workflow') return document;
  throw new CloutError('RUN_NOT_RESUMABLE', `Run ${runId} works on the change ${document.slug}, which is no workflow`, {
    hint: `Start another run, which continues with the open tasks: clout run ${document.slug}`,
  });
};

/** Writes a run that begins with what another has done before a step. Errors: STEP_NOT_FOUND, WORKFLOW_INVALID, RUN_NOT_FOUND. */
export const forkWorkflow = async (
  bench: Workbench,
  runId: string,
  request: {
    readonly from: string;
    readonly workflow?: WorkflowDocument | undefined;
    readonly budget?: string | undefined;
  },
  startedBy: string,
): Promise<string> => {
  const before = await workflowOf(bench, runId);
  const { run, steps } = await bench.store.run(runId);
  const workflow = request.workflow ?? before.workflow;
  requireRunnable(workflow, before.workflows);
  const document = { ...before, workflow, forkedFrom: { runId, step: request.from } };
  const seeded = [...keptRows(document, steps, request.from)];
  const tag = await tagOf(bench, document, run.simulated);
  const limitNanoUsd = amount(request.budget) ?? run.money.limit?.nanoUsd ?? tag.ceilingNanoUsd;
  return write(bench, document, { simulated: run.simulated, limitNanoUsd, startedBy, tag, seeded });
};

/** Executes a workflow against the journal of a run. */
export const replayRun = async (
  bench: Workbench,
  runId: string,
  workflow: WorkflowDocument | undefined,
): Promise<ReplayReport & { readonly modelCalls: 0 }> => {
  const recorded = await workflowOf(bench, runId);
  const { run, steps } = await bench.store.run(runId);
  const document = workflow === undefined ? recorded : { ...recorded, workflow };
  requireRunnable(document.workflow, document.workflows);
  const pinned = {
    id: runId,
    projectId: bench.projectId,
    document,
    documentHash: run.documentHash,
    simulated: run.simulated,
    limitNanoUsd: null,
  };
  const report = await replayWorkflow({ run: pinned, steps }, document, bench.workflowPorts, bench.clock);
  return { ...report, modelCalls: 0 };
};
