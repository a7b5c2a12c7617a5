import type { PriorDiscovery } from '@modelcontextprotocol/client';
import { messageOf, sdkCode } from './call-error.ts';
import { toChildEnv } from './child-env.ts';
import { failed, openConnection, type OnEra, type OnInitialized } from './connection.ts';
import type { Link } from './link.ts';
import { startProcess } from './process.ts';
import { redact } from './redact.ts';
import { createStdioTransport } from './stdio-transport.ts';
import type { StdioTarget } from './target.ts';
import type { McpConnection, McpDeps } from './types.ts';

export interface OpenOptions {
  readonly prior?: PriorDiscovery | undefined;
  readonly onEra?: OnEra;
  readonly signal?: AbortSignal | undefined;
  readonly onInitialized?: OnInitialized | undefined;
  /** Calls back once the process runs, or before the address is called. */
  readonly onStarted?: (() => void) | undefined;
}

/**
 * Starts a stdio MCP server and lists its tools. Some servers end when they are asked something before `initialize`; those
 * are started again and asked nothing. Throws MCP_CONNECTION_FAILED with the end of stderr in its details; no process is
 * left behind then.
 */
export const openStdioServer = async (
  target: StdioTarget,
  deps: McpDeps,
  options: OpenOptions = {},
): Promise<McpConnection> => {
  const { onStarted, prior, ...era } = options;
  const link = await start(target, deps);
  onStarted?.();
  try {
    return await openConnection(link, target, deps, { ...era, prior });
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!endedAtProbe(error)) throw error;
    return openConnection(await start(target, deps), target, deps, { ...era, prior: { kind: 'legacy' } });
  }
};

const start = async (target: StdioTarget, deps: McpDeps): Promise<Link> => {
  const child = await startProcess(
    { command: target.command, args: target.args, cwd: target.cwd, env: toChildEnv(deps.env, target.env) },
    deps.clock,
  ).catch((error: unknown) => {
    throw failed(target.id, `could not be started: ${messageOf(error)}`, { cause: error, executed: 'no' });
  });
  const transport = createStdioTransport(child);
  return {
    transport,
    pid: child.pid,
    fault: transport.fault,
    stderr: () => redact(target.secrets, child.stderr()),
    ended: child.ended,
    stop: child.stop,
  };
};

/** The SDK has this code only for a pipe that was closed while `server/discover` was asked. */
const endedAtProbe = (error: unknown): boolean =>
  error instanceof Error && sdkCode(error.cause) === 'ERA_NEGOTIATION_FAILED';
