import * as z from 'zod';

/** Names a server everywhere: in workflows, in wire names (`mcp__ID__tool`) and on the command line. */
export const McpServerId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/u);

/**
 * A value, or where it is kept: `env:NAME` reads a variable of the server's environment, `file:PATH` the first line of a file,
 * `secret:ID` what was sealed when the entry was added.
 * `text:` before a value takes it as it is.
 */
const ValueOrReference = z.string().max(8192);

/** What a consumer fills in: a path is absolute, a text begins with no dash, so that neither can become an option. */
const McpParam = z.strictObject({ type: z.enum(['path', 'text']), description: z.string().max(200).default('') });

const milliseconds = z.int().min(100).max(3_600_000);

const shared = {
  id: McpServerId,
  title: z.string().max(100).default(''),
  enabled: z.boolean().default(true),
  /** `{{name}}` in arguments, folder and variables stands for the parameter of that name. */
  params: z.record(z.string().regex(/^[a-z][a-zA-Z0-9]{0,31}$/u), McpParam).default({}),
  timeouts: z
    .strictObject({
      /** From the start to the list of tools. */
      startMs: milliseconds.default(30_000),
      /** One tool call. */
      callMs: milliseconds.default(120_000),
      /** Of single tools, by name. */
      tools: z.record(z.string(), milliseconds).default({}),
    })
    .prefault({}),
  /** A server that nobody calls for so long is stopped and started again by the next call; 0 = never. */
  idleMs: z.int().min(0).max(86_400_000).default(600_000),
  /** The preset and its version that this entry was made from, such as `memory@2026.8.31`. */
  preset: z.string().max(100).optional(),
};

const remote = {
  url: z.url({ protocol: /^https?$/u }).max(2048),
  headers: z.record(z.string().regex(/^[A-Za-z0-9-]{1,64}$/u), ValueOrReference).default({}),
  /** Networks beside the public internet that the address may lead to: `loopback`, or CIDR such as `10.0.0.0/8`. */
  allowNetworks: z.array(z.string().max(50)).max(32).default([]),
};

/** An MCP server as an administrator registered it. Workflows and other users only name its id. */
export const McpServerConfig = z.discriminatedUnion('transport', [
  z.strictObject({
    ...shared,
    transport: z.literal('stdio'),
    /** A program, started without a shell. */
    command: z.string().min(1).max(4096),
    args: z.array(z.string().max(8192)).max(200).default([]),
    /** Variables beside the allow-list HOME, PATH, SHELL, TERM, USER, LOGNAME, LANG. */
    env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/u), ValueOrReference).default({}),
    /** Absolute folder; the project root where absent. */
    cwd: z.string().max(4096).optional(),
  }),
  z.strictObject({ ...shared, transport: z.literal('http'), ...remote }),
  z.strictObject({ ...shared, transport: z.literal('sse'), ...remote }),
]);
export type McpServerConfig = z.infer<typeof McpServerConfig>;
export type McpServerInput = z.input<typeof McpServerConfig>;

/** A registered server with values for its parameters. */
export interface McpServerRef {
  readonly id: string;
  readonly params?: Readonly<Record<string, string>>;
}

/** A tool as its server describes it. */
export const McpTool = z.object({
  server: z.string(),
  name: z.string(),
  description: z.string(),
  inputSchema: z.record(z.string(), z.unknown()),
  annotations: z.object({
    readOnlyHint: z.boolean().exactOptional(),
    idempotentHint: z.boolean().exactOptional(),
    destructiveHint: z.boolean().exactOptional(),
  }),
});
export interface McpTool {
  readonly server: string;
  readonly name: string;
  readonly description: string;
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly annotations: {
    readonly readOnlyHint?: boolean;
    readonly idempotentHint?: boolean;
    readonly destructiveHint?: boolean;
  };
}

/** Result of one call; `content` is kept as the server sent it. */
export interface McpToolResult {
  readonly content: readonly Readonly<Record<string, unknown>>[];
  readonly isError: boolean;
  /** For programs; a model reads `content`. */
  readonly structuredContent?: Readonly<Record<string, unknown>>;
}

/** How far a call has come, in the server's own unit. */
export interface McpProgress {
  readonly progress: number;
  readonly total?: number;
  readonly message?: string;
}

/**
 * `idle` is not started or was stopped because nobody called; `quarantined` crashed too often and starts again after
 * `retryAt`.
 */
export const McpServerState = z.enum(['idle', 'starting', 'ready', 'restarting', 'quarantined']);
export type McpServerState = z.infer<typeof McpServerState>;

/** What an administrator has not approved yet: such tools are off. */
export const McpDrift = z.object({
  added: z.array(z.string()),
  changed: z.array(z.string()),
  removed: z.array(z.string()),
});
export interface McpDrift extends z.infer<typeof McpDrift> {}

/** One registered server with what is known of its live connections. */
export const McpServerStatus = z.object({
  config: McpServerConfig,
  /** Comes with us and cannot be changed. */
  builtIn: z.boolean(),
  /** Digest of what would be started or called, as it is now. */
  digest: z.string(),
  /** The digest is the one that an administrator approved. */
  approved: z.boolean(),
  state: McpServerState,
  era: z.enum(['legacy', 'modern']).optional(),
  protocolVersion: z.string().optional(),
  serverInfo: z.object({ name: z.string(), version: z.string() }).optional(),
  tools: z.int().optional(),
  drift: McpDrift.optional(),
  connections: z.int(),
  restarts: z.int(),
  /** ISO 8601, of a quarantined server. */
  retryAt: z.string().optional(),
  lastError: z.string().optional(),
});
export interface McpServerStatus extends z.infer<typeof McpServerStatus> {}

/** A step of `POST /api/mcp/test-connection` as it is streamed; the last one is `done` or `failed`. */
export const McpTestStep = z.discriminatedUnion('step', [
  z.object({ step: z.literal('spawn'), command: z.string(), ms: z.number() }),
  z.object({ step: z.literal('connect'), url: z.string(), ms: z.number() }),
  z.object({
    step: z.literal('initialize'),
    protocolVersion: z.string(),
    era: z.enum(['legacy', 'modern']),
    serverInfo: z.object({ name: z.string(), version: z.string() }).optional(),
    ms: z.number(),
  }),
  z.object({ step: z.literal('tools/list'), tools: z.array(McpTool), ms: z.number() }),
  z.object({ step: z.literal('done'), success: z.literal(true), ms: z.number() }),
  z.object({
    step: z.literal('failed'),
    success: z.literal(false),
    error: z.string(),
    code: z.string(),
    stderr: z.string(),
    ms: z.number(),
  }),
]);
export type McpTestStep = z.infer<typeof McpTestStep>;

/** The answer of seed 003 task 2.2. */
export const McpTestResult = z.discriminatedUnion('success', [
  z.object({ success: z.literal(true), tools: z.array(McpTool) }),
  z.object({ success: z.literal(false), error: z.string() }),
]);
