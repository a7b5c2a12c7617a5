import { Client } from '@modelcontextprotocol/client';
import {
  CloutError,
  PRODUCT_VERSION,
  type McpServerConfig,
  type McpTool,
  type McpToolResult,
} from '@cloutagent/contract';
import type { Clock } from '@cloutagent/kit';
import { toChildEnv } from './child-env.ts';
import { startProcess, type OwnedProcess } from './process.ts';
import { toArguments, toToolResult, toTools } from './tool-shape.ts';
import { createStdioTransport, type StdioTransport } from './transport.ts';

export type Log = (
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

export interface McpDeps {
  readonly cwd: string;
  /** Values for the allow-list HOME, PATH, SHELL, TERM, USER, LOGNAME, LANG; other names are ignored. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds that one tool call may take; 120,000. */
  readonly callTimeoutMs?: number;
  /** Milliseconds from spawn to the list of tools; 30,000, because `npx` may have to unpack a server first. */
  readonly startTimeoutMs?: number;
}

export interface McpCallOptions {
  readonly signal: AbortSignal;
  readonly idempotencyKey: string;
}

/** One running server. */
export interface McpConnection {
  readonly id: string;
  /** As listed when the connection opened; frozen, because a run's tools must not change under it. */
  tools(): readonly McpTool[];
  /**
   * Calls a tool by its own name. What the server refuses comes back as `isError`. Throws MCP_CONNECTION_FAILED when
   * the server is gone, REQUEST_TIMEOUT after `callTimeoutMs`, and the signal's reason when it is aborted.
   */
  call(tool: string, input: unknown, options: McpCallOptions): Promise<McpToolResult>;
  close(): Promise<void>;
  /** Resolves once, with the reason, when the connection has ended. */
  readonly closed: Promise<string>;
}

/** A server that lists more pages of tools than this is broken. */
const MAX_LIST_PAGES = 20;
/** How much of stderr an error shows. */
const STDERR_TAIL = 2_000;
/** A server that does not even answer a ping this long after a timed-out call is hung and is ended. */
const HUNG_AFTER_MS = 5_000;
/** Lines that are no message are logged this often a connection, so that a chatty server cannot flood the log. */
const MAX_STRAY_LOGS = 20;

/**
 * Starts a stdio MCP server and lists its tools. The protocol is that of 2025-11-25 and before (`initialize`).
 * Throws MCP_CONNECTION_FAILED with the end of stderr in its details; no process is left behind then.
 */
export const openStdioServer = async (config: McpServerConfig, deps: McpDeps): Promise<McpConnection> => {
  let child: OwnedProcess;
  try {
    child = await startProcess(
      { command: config.command, args: config.args, cwd: deps.cwd, env: toChildEnv(deps.env, config.env) },
      deps.clock,
    );
  } catch (error) {
    throw failed(config, `could not be started: ${messageOf(error)}`, '', error);
  }
  const transport = createStdioTransport(child);
  const reason = child.ended.then((ended) => transport.fault() ?? ended);
  const client = new Client(
    { name: 'cloutagent', version: PRODUCT_VERSION },
    { capabilities: {}, versionNegotiation: { mode: 'legacy' }, listMaxPages: MAX_LIST_PAGES },
  );
  let strays = 0;
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's client is no EventTarget
  client.onerror = (error) => {
    strays += 1;
    if (strays <= MAX_STRAY_LOGS)
      deps.log('debug', 'MCP server said something that is no message', { server: config.id, message: error.message });
  };

  const tools = await listTools(client, transport, config, deps).catch(async (error: unknown) => {
    await child.stop();
    throw failed(
      config,
      `did not answer as an MCP server: ${transport.fault() ?? messageOf(error)}; ${await reason}`,
      child.stderr(),
      error,
    );
  });
  deps.log('info', 'MCP server is ready', { server: config.id, pid: child.pid, tools: tools.length });
  return connection(config, deps, { child, client, transport, tools, reason });
};

interface Open {
  readonly child: OwnedProcess;
  readonly client: Client;
  readonly transport: StdioTransport;
  readonly tools: readonly McpTool[];
  readonly reason: Promise<string>;
}

const connection = (config: McpServerConfig, deps: McpDeps, open: Open): McpConnection => {
  const { child, client, transport, reason } = open;
  let over = false;
  const closed = reason.then((text) => {
    over = true;
    deps.log('info', 'MCP server has ended', { server: config.id, reason: text });
    return text;
  });

  const gone = async (cause?: unknown): Promise<CloutError> => {
    const why = transport.fault() ?? (await soon(reason, deps.clock)) ?? 'the connection was closed';
    return failed(config, `is gone: ${why}`, child.stderr(), cause);
  };

  const call = async (tool: string, input: unknown, options: McpCallOptions): Promise<McpToolResult> => {
    options.signal.throwIfAborted();
    if (over || transport.fault() !== undefined) throw await gone();
    const timeout = deps.callTimeoutMs ?? 120_000;
    const params = {
      name: tool,
      arguments: toArguments(input),
      _meta: { 'cloutagent/idempotencyKey': options.idempotencyKey },
    };
    try {
      const result = await client.request(
        { method: 'tools/call', params },
        { signal: options.signal, timeout, maxTotalTimeout: timeout },
      );
      return toToolResult(result);
    } catch (error) {
      options.signal.throwIfAborted();
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      // Numbers are the server's own refusals (JSON-RPC): the model can read them and do better.
      if (typeof code === 'number') return { content: [{ type: 'text', text: messageOf(error) }], isError: true };
      if (code === 'INVALID_RESULT')
        throw new CloutError(
          'INVALID_TOOL_RESULT',
          `The MCP server "${config.id}" answered ${tool} with something that is no tool result`,
          { hint: 'Its effect is unknown; report this to the makers of the server', cause: error },
        );
      if (code === 'REQUEST_TIMEOUT') {
        void endIfHung(client, child);
        throw new CloutError(
          'REQUEST_TIMEOUT',
          `The tool ${tool} of the MCP server "${config.id}" took longer than ${timeout / 1000} s`,
          { cause: error, details: { server: config.id, tool, timeoutMs: timeout } },
        );
      }
      if (error instanceof RangeError) throw new CloutError('PAYLOAD_TOO_LARGE', error.message, { cause: error });
      throw await gone(error);
    }
  };

  return {
    id: config.id,
    tools: () => open.tools,
    call,
    close: async () => {
      await client.close();
      await child.stop();
      await closed;
    },
    closed,
  };
};

const listTools = async (
  client: Client,
  transport: StdioTransport,
  config: McpServerConfig,
  deps: McpDeps,
): Promise<readonly McpTool[]> => {
  const timeout = deps.startTimeoutMs ?? 30_000;
  await client.connect(transport, { timeout });
  if (client.getServerCapabilities()?.tools === undefined) return [];
  const listed = await client.listTools(undefined, { timeout });
  return toTools(config.id, listed.tools);
};

/** A call that timed out was cancelled; a server that is not even able to say so is ended, so that nothing goes on unseen. */
const endIfHung = async (client: Client, child: OwnedProcess): Promise<void> => {
  try {
    await client.ping({ timeout: HUNG_AFTER_MS });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'REQUEST_TIMEOUT') await child.stop();
  }
};

/** The exit code follows a broken pipe within moments; nobody waits longer for a nicer sentence. */
const soon = async (reason: Promise<string>, clock: Clock): Promise<string | undefined> => {
  const timer = new AbortController();
  const late = clock.sleep(500, timer.signal).catch(() => undefined);
  const first = await Promise.race([reason, late.then(() => undefined)]);
  timer.abort();
  return first;
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const failed = (config: McpServerConfig, what: string, stderr: string, cause?: unknown): CloutError => {
  const tail = stderr.slice(-STDERR_TAIL).trim();
  return new CloutError('MCP_CONNECTION_FAILED', `The MCP server "${config.id}" ${what}`, {
    cause,
    details: { server: config.id, stderr: tail },
  });
};
