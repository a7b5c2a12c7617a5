import {
  CloutError,
  WorkflowDocument,
  type AgentConfigInput,
  type SDKExecutionResult,
  type StreamChunk,
  type ToolCallResult,
} from '@cloutagent/contract';
import { inspectWorkflow } from '@cloutagent/engine';
import { fillTemplate, newId, ownValues, systemClock } from '@cloutagent/kit';
import { ClaudeSDKService } from './claude-sdk-service.ts';

/** Seed 003, task 2.1: a node of a workflow; `data` of an agent is its configuration, servers included. */
export interface WorkflowNode {
  readonly id: string;
  readonly type: string;
  readonly data: Partial<Omit<AgentConfigInput, 'id' | 'name'>> & {
    readonly label?: string;
    readonly defaultInput?: string;
    readonly streaming?: boolean;
  };
}

export interface Workflow {
  readonly nodes: readonly WorkflowNode[];
  readonly edges: readonly { readonly source: string; readonly target: string }[];
}

/** What is written to of a response: `data: {nodeId, …chunk}` for everything that a node says. */
export interface SseResponse {
  write(text: string): unknown;
}

export interface WorkflowOptions {
  /** Of nodes that have neither a predecessor nor a `defaultInput`. */
  readonly input?: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly userId?: string;
}

export interface ExecutionStep {
  readonly nodeId: string;
  readonly status: SDKExecutionResult['status'];
  readonly output?: string | undefined;
  readonly error?: string | undefined;
  /** `totalCost` is in dollars. */
  readonly cost: SDKExecutionResult['cost'];
  /** Milliseconds. */
  readonly duration: number;
  readonly toolCalls?: readonly ToolCallResult[] | undefined;
}

export interface Execution {
  readonly id: string;
  readonly status: 'completed' | 'failed';
  /** In the order of their ends; a node behind a failed one has none. */
  readonly steps: readonly ExecutionStep[];
  readonly cost: SDKExecutionResult['cost'];
  readonly duration: number;
  readonly error?: string;
}

const DEFAULT_MODEL = 'claude-sonnet-4-5';
const NO_COST = { promptTokens: 0, completionTokens: 0, totalCost: 0 };

/** Throws WORKFLOW_INVALID. */
const check = (workflow: Workflow): void => {
  const parsed = WorkflowDocument.safeParse(workflow);
  const [finding] = parsed.success ? inspectWorkflow(parsed.data) : [];
  const other = workflow.nodes.find(({ type }) => type !== 'agent');
  const problem = parsed.success
    ? (finding?.message ?? (other && `The node ${other.id} is of the kind ${other.type}`))
    : parsed.error.issues[0]?.message;
  if (problem === undefined) return;
  throw new CloutError('WORKFLOW_INVALID', problem, {
    hint: 'This class runs agents alone, as its specification has them; clout run takes every kind of node.',
  });
};

/**
 * Seed 003, task 2.1: workflows of agents in this process. Nothing of them is kept; runs that are stored, limited and
 * resumed are the server's. A failure of a node is a step with an error; only a workflow that cannot be run throws.
 */
export class ExecutionEngine {
  readonly #service: ClaudeSDKService;

  constructor(service = new ClaudeSDKService()) {
    this.#service = service;
  }

  /** A node starts when all before it have ended; its input is their outputs in the order of the edges. */
  async executeWorkflow(workflow: Workflow, options: WorkflowOptions = {}, res?: SseResponse): Promise<Execution> {
    check(workflow);
    const startedAt = systemClock.monotonic();
    const id = newId('run', systemClock);
    const steps: ExecutionStep[] = [];
    const outputs = new Map<string, Promise<string | undefined>>();
    const outputOf = (node: WorkflowNode): Promise<string | undefined> => {
      const known = outputs.get(node.id);
      if (known !== undefined) return known;
      const running = run(node);
      outputs.set(node.id, running);
      return running;
    };
    const before = (node: WorkflowNode): readonly WorkflowNode[] =>
      workflow.edges
        .filter(({ target }) => target === node.id)
        .flatMap(({ source }) => workflow.nodes.filter((other) => other.id === source));
    const run = async (node: WorkflowNode): Promise<string | undefined> => {
      const inputs = await Promise.all(before(node).map(outputOf));
      if (inputs.includes(undefined)) return undefined;
      const input = inputs.length === 0 ? (node.data.defaultInput ?? options.input ?? '') : inputs.join('\n\n');
      const step = await this.#executeNode(`${id}:${node.id}`, node, input, options, res);
      steps.push(step);
      return step.status === 'completed' ? (step.output ?? '') : undefined;
    };
    await Promise.all(workflow.nodes.map(outputOf));
    const failed = steps.find(({ status }) => status !== 'completed');
    return {
      id,
      status: failed === undefined ? 'completed' : 'failed',
      steps,
      cost: steps.map(({ cost }) => cost).reduce(add, NO_COST),
      duration: systemClock.monotonic() - startedAt,
      ...(failed?.error === undefined ? {} : { error: failed.error }),
    };
  }

  async #executeNode(
    agentId: string,
    { id: nodeId, data }: WorkflowNode,
    input: string,
    { variables = {}, userId }: WorkflowOptions,
    res: SseResponse | undefined,
  ): Promise<ExecutionStep> {
    const startedAt = systemClock.monotonic();
    const { label = 'Agent', defaultInput: _input, streaming = true, ...config } = data;
    try {
      const agent = await this.#service.createAgent({
        model: DEFAULT_MODEL,
        ...config,
        systemPrompt: fillTemplate(config.systemPrompt ?? '', ownValues(variables)),
        id: agentId,
        name: label,
      });
      const who = userId === undefined ? {} : { userId };
      const result =
        res !== undefined && streaming
          ? await this.#service.streamExecution(agent, input, (chunk) => send(res, nodeId, chunk), who)
          : await this.#service.executeAgent(agent, input, who);
      const { status, result: output, error, cost, duration, toolCalls } = result;
      return { nodeId, status, output, error, cost, duration, toolCalls };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { nodeId, status: 'failed', error: message, cost: NO_COST, duration: systemClock.monotonic() - startedAt };
    } finally {
      // One for this node alone: its servers end with it.
      this.#service.deleteAgent(agentId);
    }
  }

  /** Ends every server of every agent. */
  close(): Promise<void> {
    return this.#service.close();
  }
}

const send = (res: SseResponse, nodeId: string, chunk: StreamChunk): void => {
  res.write(`data: ${JSON.stringify({ nodeId, ...chunk })}\n\n`);
};

type Cost = SDKExecutionResult['cost'];

const add = (sum: Cost, cost: Cost): Cost => ({
  promptTokens: sum.promptTokens + cost.promptTokens,
  completionTokens: sum.completionTokens + cost.completionTokens,
  totalCost: sum.totalCost + cost.totalCost,
});
