import * as z from 'zod';
import { UsdText } from './money.ts';

/** Nodes of one document, bodies of maps included: a run keeps a row and two events for each, and a canvas shows them. */
export const MAX_WORKFLOW_NODES = 5_000;
/** Edges of one document: a node has a handful. */
export const MAX_WORKFLOW_EDGES = 20_000;
/** Depth to which maps and sub-workflows may stand in each other: each adds a part to the key of every step. */
export const MAX_WORKFLOW_DEPTH = 8;
/** Items of one map: its bound when it names none is 100. */
export const MAX_MAP_ITEMS = 1_000;

/** Part of the key of every step of the node, so that no character of it means something there. */
export const NODE_ID_PATTERN = '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$';
export const NodeId = z.string().regex(new RegExp(NODE_ID_PATTERN, 'u'), 'must be letters, digits, "_", "-" or "."');

/** `fail`: the run fails. `continue`: the node's output is empty. `branch`: only edges of the branch `error` go on, with the message. */
export const OnError = z.enum(['fail', 'continue', 'branch']);
export type OnError = z.infer<typeof OnError>;

/** Waits before attempt n: `delayMs * factor ** (n - 2)`. A wait outlives the process. */
export const NodeRetry = z.object({
  /** All attempts, the first included. */
  attempts: z.int().min(1).max(10),
  delayMs: z.int().min(0).max(86_400_000).default(1_000),
  factor: z.number().min(1).max(10).default(2),
});
export interface NodeRetry extends z.infer<typeof NodeRetry> {}

const text = z.string().max(1_000_000);
const milliseconds = z.int().min(1).max(31_536_000_000);

/** A server by its id. What it starts is set by an administrator, so that a command in an imported document is not read. */
const ServerRef = z.union([z.string().max(200), z.looseObject({ id: z.string().max(200) })]);

const base = {
  id: NodeId,
  /** Of the canvas; without meaning for a run. */
  position: z.object({ x: z.number(), y: z.number() }).optional(),
  onError: OnError.optional(),
  retry: NodeRetry.optional(),
  /** Of one attempt. */
  timeoutMs: milliseconds.optional(),
  /** Limit of the node in dollars, all attempts together. */
  budget: UsdText.optional(),
};
const label = z.string().max(200).optional();

/** Gives the run's input, or that of the map or workflow that it stands in. */
export const InputNode = z.object({
  ...base,
  type: z.literal('input'),
  data: z.looseObject({ label, defaultInput: text.optional() }).default({}),
});

/** An agent with the tools of its servers (seed 003 task 2.1). */
export const AgentNode = z.object({
  ...base,
  type: z.literal('agent'),
  data: z
    .looseObject({
      label,
      model: z.string().max(100).optional(),
      systemPrompt: text.optional(),
      /** Shapes the node's input; `{{input}}` alone where absent. */
      prompt: text.optional(),
      temperature: z.number().min(0).max(1).optional(),
      maxTokens: z.int().min(1).max(200_000).optional(),
      /** Model calls. */
      maxIterations: z.int().min(1).max(200).optional(),
      /** Tools that it may call, `tool` or `server:tool`; all of its servers where absent or empty. */
      enabledTools: z.array(z.string().max(200)).max(200).optional(),
      mcpServers: z.array(ServerRef).max(20).optional(),
      defaultInput: text.optional(),
      streaming: z.boolean().optional(),
    })
    .default({}),
});

/** One call of a tool. Texts in `arguments` are templates. */
export const ToolNode = z.object({
  ...base,
  type: z.literal('tool'),
  data: z.looseObject({
    label,
    server: z.string().max(200),
    tool: z.string().max(200),
    arguments: z.record(z.string(), z.unknown()).default({}),
  }),
});

/** A text with `{{input}}`, `{{variable}}` and `{{node}}` filled in, in one pass. */
export const TemplateNode = z.object({
  ...base,
  type: z.literal('template'),
  data: z.looseObject({ label, template: text }),
});

/** Goes on along its edges of the branch `then` or `else`, with its own input as output. */
export const ConditionNode = z.object({
  ...base,
  type: z.literal('condition'),
  data: z.looseObject({ label, expression: z.string().min(1).max(10_000) }),
});

/** Waits for a person, who may approve, edit the text, or deny it. */
export const ApprovalNode = z.object({
  ...base,
  type: z.literal('approval'),
  data: z
    .looseObject({
      label,
      /** What is asked, a template; the input is shown below it. */
      message: text.optional(),
      /** It expires after so long, which is an error of the node. */
      expiresMs: milliseconds.optional(),
    })
    .default({}),
});

/** Waits for a time to pass, then gives its input. */
export const DelayNode = z.object({
  ...base,
  type: z.literal('delay'),
  data: z.looseObject({ label, delayMs: z.int().min(0).max(31_536_000_000) }),
});

/** The open tasks of a change, as `clout run` does them. */
export const TaskGraphNode = z.object({
  ...base,
  type: z.literal('task-graph'),
  data: z.looseObject({ label, change: z.string().min(1).max(200) }),
});

/** What a run of the workflow gives: its input. */
export const OutputNode = z.object({
  ...base,
  type: z.literal('output'),
  data: z.looseObject({ label }).default({}),
});

export const WorkflowEdge = z.object({
  id: z.string().max(300).optional(),
  source: NodeId,
  target: NodeId,
  /** `then` and `else` of a condition, `error` of a node with `onError: branch`; otherwise absent. */
  branch: z.enum(['then', 'else', 'error']).optional(),
  /** The same as the canvas names it. */
  sourceHandle: z.string().max(200).nullish(),
  targetHandle: z.string().max(200).nullish(),
});
export interface WorkflowEdge extends z.infer<typeof WorkflowEdge> {}

/** Runs its body for each item of its input. Every item is a place of its own: `map/map[3]/…`. */
export interface MapNode {
  readonly id: string;
  readonly type: 'map';
  readonly position?: { x: number; y: number } | undefined;
  readonly onError?: OnError | undefined;
  readonly retry?: NodeRetry | undefined;
  readonly timeoutMs?: number | undefined;
  readonly budget?: string | undefined;
  readonly data: {
    readonly [key: string]: unknown;
    readonly label?: string | undefined;
    /** `lines`: not blank ones. `json`: an array, whose texts are taken as they are. */
    readonly split: 'lines' | 'paragraphs' | 'json';
    readonly join: 'paragraphs' | 'json';
    /** More items are an error of the node. */
    readonly maxItems: number;
    /** Items at a time; as many as the workflow allows where absent. */
    readonly concurrency?: number | undefined;
    readonly nodes: readonly WorkflowNode[];
    readonly edges: readonly WorkflowEdge[];
  };
}

/** Another workflow as a node, pinned when the run starts. */
export const SubWorkflowNode = z.object({
  ...base,
  type: z.literal('workflow'),
  data: z.looseObject({
    label,
    workflow: NodeId,
    /** Of its stored versions; the newest where absent. */
    version: z.int().min(1).optional(),
    /** Templates, filled in before they are handed over. */
    variables: z.record(z.string(), text).default({}),
  }),
});

export type WorkflowNode =
  | z.infer<typeof InputNode>
  | z.infer<typeof AgentNode>
  | z.infer<typeof ToolNode>
  | z.infer<typeof TemplateNode>
  | z.infer<typeof ConditionNode>
  | MapNode
  | z.infer<typeof ApprovalNode>
  | z.infer<typeof DelayNode>
  | z.infer<typeof SubWorkflowNode>
  | z.infer<typeof TaskGraphNode>
  | z.infer<typeof OutputNode>;
export type NodeType = WorkflowNode['type'];

export const MapNode = z.object({
  ...base,
  type: z.literal('map'),
  data: z.looseObject({
    label,
    split: z.enum(['lines', 'paragraphs', 'json']).default('lines'),
    join: z.enum(['paragraphs', 'json']).default('paragraphs'),
    maxItems: z.int().min(1).max(MAX_MAP_ITEMS).default(100),
    concurrency: z.int().min(1).max(1_000).optional(),
    get nodes(): z.ZodType<readonly WorkflowNode[]> {
      return z.array(WorkflowNode).max(MAX_WORKFLOW_NODES);
    },
    edges: z.array(WorkflowEdge).max(MAX_WORKFLOW_EDGES).default([]),
  }),
});

export const WorkflowNode: z.ZodType<WorkflowNode> = z.discriminatedUnion('type', [
  InputNode,
  AgentNode,
  ToolNode,
  TemplateNode,
  ConditionNode,
  MapNode,
  ApprovalNode,
  DelayNode,
  SubWorkflowNode,
  TaskGraphNode,
  OutputNode,
]);

/**
 * A workflow: the same document on the canvas, in YAML and in a list. `{nodes, edges}` alone is one (seed 003 task 2.1).
 * A node's input is the outputs of its predecessors in the order of the edges, joined by a blank line.
 */
export const WorkflowDocument = z.looseObject({
  format: z.literal(1).default(1),
  name: NodeId.optional(),
  title: z.string().max(200).optional(),
  description: text.optional(),
  /** Of agents that name none. */
  model: z.string().max(100).optional(),
  /** `{{name}}` in texts; a run may give other values. */
  variables: z.record(z.string().max(100), text).default({}),
  /** Limit of a run in dollars, unless it is given one. */
  budget: UsdText.optional(),
  /** Nodes at a time in one run. */
  concurrency: z.int().min(1).max(1_000).optional(),
  nodes: z.array(WorkflowNode).max(MAX_WORKFLOW_NODES),
  edges: z.array(WorkflowEdge).max(MAX_WORKFLOW_EDGES).default([]),
});
export interface WorkflowDocument extends z.infer<typeof WorkflowDocument> {}

/** What is wrong with a document, tied to the node where it is. */
export const WorkflowFinding = z.object({
  code: z.string(),
  severity: z.enum(['error', 'warning']),
  /** Place of the node, `map/inner` inside of a map; null: the document as a whole. */
  node: z.string().nullable(),
  message: z.string(),
  hint: z.string(),
});
export interface WorkflowFinding extends z.infer<typeof WorkflowFinding> {}

/** A workflow as a run carries it, with every workflow that it names: nothing outside can change a run that has begun. */
export const WorkflowRunDocument = z.object({
  format: z.literal(1),
  kind: z.literal('workflow'),
  /** Name of the workflow. */
  slug: z.string(),
  title: z.string(),
  /** Of agents that name none. */
  model: z.string(),
  input: z.string(),
  variables: z.record(z.string(), z.string()),
  workflow: WorkflowDocument,
  /** `name` or `name@version` → document. */
  workflows: z.record(z.string(), WorkflowDocument),
  /** The run whose steps were taken over, and the step from which it goes its own way. */
  forkedFrom: z.object({ runId: z.string(), step: z.string() }).optional(),
});
export interface WorkflowRunDocument extends z.infer<typeof WorkflowRunDocument> {}

/** Output of a `node` step: how the node ended. `skipped`: no edge that leads to it was taken. */
export const NodeOutcome = z.object({
  status: z.enum(['done', 'failed', 'skipped']),
  output: z.string(),
  /** Of a condition the branch that was taken, `error` where the edges of an error go on. */
  branch: z.enum(['then', 'else', 'error']).nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  attempts: z.int(),
});
export interface NodeOutcome extends z.infer<typeof NodeOutcome> {}
