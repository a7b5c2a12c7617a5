import { Client, type PriorDiscovery } from '@modelcontextprotocol/client';
import { CloutError, PRODUCT_VERSION, type McpTool } from '@cloutagent/contract';
import type { Clock } from '@cloutagent/kit';
import { answerServer, ASKING, type CallInFlight } from './asks.ts';
import { isSessionLost, messageOf, ourErrorIn, sdkCode, wasNeverSent } from './call-error.ts';
import { callTool } from './call-tool.ts';
import type { Link } from './link.ts';
import { redact } from './redact.ts';
import type { Target } from './target.ts';
import { toMessages, toPrompts, toResources, toTools } from './tool-shape.ts';
import type { McpConnection, McpDeps } from './types.ts';

/** A server that lists more pages than this is broken. */
const MAX_LIST_PAGES = 20;
/** How much of stderr an error shows. */
const STDERR_TAIL = 2_000;
/** Lines that are no message are logged this often a connection, so that a chatty server cannot flood the log. */
const MAX_STRAY_LOGS = 20;
/** A server that never answers `server/discover` is one of before 2026-07-28. */
const MAX_PROBE_MS = 8_000;

export const startMsOf = (target: Target): number => target.startMs ?? 30_000;

/** MCP_CONNECTION_FAILED in words; `executed: 'no'` where nothing can have been done. */
export const failed = (
  server: string,
  what: string,
  more: { readonly stderr?: string; readonly cause?: unknown; readonly executed?: 'no' | 'unknown' } = {},
): CloutError =>
  new CloutError('MCP_CONNECTION_FAILED', `The MCP server "${server}" ${what}`, {
    cause: more.cause,
    details: {
      server,
      stderr: (more.stderr ?? '').slice(-STDERR_TAIL).trim(),
      ...(more.executed === undefined ? {} : { executed: more.executed }),
    },
  });

/** Told after the handshake, before the tools are listed. */
export type OnInitialized = (found: Pick<McpConnection, 'era' | 'protocolVersion' | 'serverInfo'>) => void;

/** What the handshake found out; kept for the next time. */
export type OnEra = (verdict: PriorDiscovery) => void;

/**
 * Shakes hands over a link and lists the tools: `server/discover` first, `initialize` where the server knows none, or what
 * `prior` says. Throws MCP_CONNECTION_FAILED with the end of stderr, MCP_ADDRESS_REFUSED, the signal's reason; the link is
 * ended then.
 */
export const openConnection = async (
  link: Link,
  target: Target,
  deps: McpDeps,
  era: {
    readonly prior?: PriorDiscovery | undefined;
    readonly onEra?: OnEra;
    readonly onInitialized?: OnInitialized | undefined;
    readonly signal?: AbortSignal | undefined;
  } = {},
): Promise<McpConnection> => {
  const startMs = startMsOf(target);
  const calls = new Set<CallInFlight>();
  const client = new Client(
    { name: 'cloutagent', version: PRODUCT_VERSION },
    {
      capabilities: deps.elicit === undefined ? {} : ASKING,
      listMaxPages: MAX_LIST_PAGES,
      versionNegotiation: {
        mode: target.transport === 'sse' ? 'legacy' : 'auto',
        probe: { timeoutMs: target.transport === 'stdio' ? Math.min(MAX_PROBE_MS, startMs / 2) : startMs },
      },
    },
  );
  let strays = 0;
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's client is no EventTarget
  client.onerror = (error) => {
    strays += 1;
    if (strays <= MAX_STRAY_LOGS)
      deps.log('debug', 'MCP server said something that is no message', { server: target.id, message: error.message });
  };
  answerServer(client, { server: target.id, secrets: target.secrets, elicit: deps.elicit, calls, log: deps.log });
  const reason = link.ended.then((ended) => link.fault() ?? ended);

  try {
    const { prior, signal, onEra } = era;
    await client.connect(link.transport, {
      timeout: startMs,
      ...(signal === undefined ? {} : { signal }),
      ...(prior === undefined ? {} : { prior }),
    });
    const discover = client.getDiscoverResult();
    onEra?.(discover === undefined ? { kind: 'legacy' } : { kind: 'modern', discover });
    const opened = connection(target, deps, { client, link, reason, calls });
    era.onInitialized?.(opened);
    await opened.listTools(signal);
    deps.log('info', 'MCP server is ready', {
      server: target.id,
      era: opened.era,
      tools: opened.tools().length,
      ...(link.pid === undefined ? {} : { pid: link.pid }),
    });
    return opened;
  } catch (error) {
    await client.close().catch(() => undefined);
    await link.stop();
    era.signal?.throwIfAborted();
    const ours = ourErrorIn(error);
    if (ours?.code === 'MCP_ADDRESS_REFUSED') throw ours;
    const why = redact(target.secrets, link.fault() ?? messageOf(error));
    const end = link.pid === undefined ? '' : `; ${await reason}`;
    throw failed(target.id, `did not answer as an MCP server: ${why}${end}`, { stderr: link.stderr(), cause: error });
  }
};

interface Open {
  readonly link: Link;
  readonly client: Client;
  readonly reason: Promise<string>;
  readonly calls: Set<CallInFlight>;
}

const connection = (target: Target, deps: McpDeps, { client, link, reason, calls }: Open): McpConnection => {
  let over = false;
  let listed: readonly McpTool[] = [];
  const closed = reason.then((text) => {
    over = true;
    deps.log('info', 'MCP server has ended', { server: target.id, reason: text });
    return text;
  });

  const gone = async (cause?: unknown): Promise<CloutError> => {
    const why =
      link.fault() ??
      (link.pid === undefined && cause !== undefined
        ? redact(target.secrets, messageOf(cause))
        : await soon(reason, deps.clock)) ??
      'the connection was closed';
    const executed = cause === undefined || wasNeverSent(cause) ? 'no' : 'unknown';
    return failed(target.id, `is gone: ${why}`, { stderr: link.stderr(), cause, executed });
  };
  const requireOpen = async (signal: AbortSignal | undefined): Promise<void> => {
    signal?.throwIfAborted();
    if (over || link.fault() !== undefined) throw await gone();
  };
  /** Requests beside tool calls: an error of the server is an error here. */
  const ask = async <T>(signal: AbortSignal | undefined, send: () => Promise<T>): Promise<T> => {
    await requireOpen(signal);
    try {
      return redact(target.secrets, await send());
    } catch (error) {
      signal?.throwIfAborted();
      const ours = ourErrorIn(error);
      if (ours !== undefined) throw ours;
      if (typeof sdkCode(error) === 'number' && !isSessionLost(error))
        throw new CloutError(
          'RESOURCE_NOT_FOUND',
          `The MCP server "${target.id}" refused: ${redact(target.secrets, messageOf(error))}`,
          {
            cause: error,
          },
        );
      throw await gone(error);
    }
  };
  const timeout = startMsOf(target);
  const request = (signal: AbortSignal | undefined) => (signal === undefined ? { timeout } : { timeout, signal });

  const listTools = async (signal?: AbortSignal): Promise<readonly McpTool[]> => {
    if (client.getServerCapabilities()?.tools === undefined) return listed;
    const answer = await client.listTools(undefined, { ...request(signal), cacheMode: 'refresh' });
    // A model and a page are shown them whole.
    listed = Object.freeze(redact(target.secrets, toTools(target.id, answer.tools)));
    return listed;
  };

  return {
    id: target.id,
    era: client.getProtocolEra() ?? 'legacy',
    protocolVersion: client.getNegotiatedProtocolVersion() ?? '',
    serverInfo: redact(target.secrets, infoOf(client)),
    pid: link.pid,
    tools: () => listed,
    listTools,
    onToolsChanged: (handler) => listenToTools(client, handler, deps, target.id),
    call: async (tool, input, options) => {
      await requireOpen(options.signal);
      const schema = listed.find(({ name }) => name === tool)?.inputSchema;
      return callTool({ target, client, link, calls, gone, clock: deps.clock }, { tool, input, schema }, options);
    },
    resources: (signal) =>
      ask(signal, async () => toResources((await client.listResources(undefined, request(signal))).resources)),
    readResource: (uri, signal) =>
      ask(
        signal,
        async () => (await client.readResource({ uri }, { ...request(signal), cacheMode: 'bypass' })).contents,
      ),
    prompts: (signal) =>
      ask(signal, async () => toPrompts((await client.listPrompts(undefined, request(signal))).prompts)),
    prompt: (name, args, signal) =>
      ask(signal, async () =>
        toMessages((await client.getPrompt({ name, arguments: { ...args } }, request(signal))).messages),
      ),
    ping: async (timeoutMs) => {
      if (over || link.fault() !== undefined) throw await gone();
      const options = { timeout: timeoutMs };
      await (client.getProtocolEra() === 'modern' ? client.discover(options) : client.ping(options));
    },
    close: async () => {
      await client.close().catch(() => undefined);
      await link.stop();
      await closed;
    },
    closed,
  };
};

const infoOf = (client: Client): McpConnection['serverInfo'] => {
  const info = client.getServerVersion();
  return info === undefined ? undefined : { name: info.name, version: info.version };
};

/** Since 2026-07-28 a client has to listen; before, servers tell without being asked. */
const listenToTools = (client: Client, handler: () => void, deps: McpDeps, server: string): void => {
  if (client.getServerCapabilities()?.tools?.listChanged !== true) return;
  client.setNotificationHandler('notifications/tools/list_changed', handler);
  if (client.getProtocolEra() !== 'modern') return;
  client.listen({ toolsListChanged: true }).catch((error: unknown) => {
    // The list is compared at every health check too.
    deps.log('debug', 'MCP server does not tell of changes', { server, message: messageOf(error) });
  });
};

/** The exit code follows a broken pipe within moments; nobody waits longer for a nicer sentence. */
const soon = async (reason: Promise<string>, clock: Clock): Promise<string | undefined> => {
  const timer = new AbortController();
  const late = clock.sleep(500, timer.signal).catch(() => undefined);
  const first = await Promise.race([reason, late.then(() => undefined)]);
  timer.abort();
  return first;
};
