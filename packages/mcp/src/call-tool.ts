import type { Client } from '@modelcontextprotocol/client';
import { CloutError, type McpToolResult } from '@cloutagent/contract';
import type { Clock } from '@cloutagent/kit';
import { duringCall, type CallInFlight } from './asks.ts';
import { isSessionLost, messageOf, ourErrorIn, sdkCode } from './call-error.ts';
import type { Link } from './link.ts';
import { createPatience } from './patience.ts';
import { redact } from './redact.ts';
import type { Target } from './target.ts';
import { toArguments, toToolResult } from './tool-shape.ts';
import type { McpCallOptions } from './types.ts';

/** A server that does not even answer a ping this long after a timed-out call is hung and is ended. */
const HUNG_AFTER_MS = 5_000;
/** Signs of progress start the time-out again; in all a call may take so many times as long. */
const MAX_STRETCH = 10;
/** The longest time that a timer takes: the SDK's own limit is not to come before ours. */
const NEVER_MS = 2 ** 31 - 1;

interface CallContext {
  readonly target: Target;
  readonly client: Client;
  readonly link: Link;
  readonly calls: Set<CallInFlight>;
  readonly clock: Clock;
  readonly gone: (cause?: unknown) => Promise<CloutError>;
}

interface Asked {
  readonly tool: string;
  readonly input: unknown;
  /** Schema of its arguments, where it is listed. */
  readonly schema: Readonly<Record<string, unknown>> | undefined;
}

/**
 * The SDK refuses a result that does not fit the tool's output schema, although the call has been made: without that schema
 * it does not. It finds the tool itself only where arguments have to be sent as headers.
 */
const definitionOf = ({ tool, schema }: Asked) =>
  schema !== undefined && JSON.stringify(schema).includes('"x-mcp-header"')
    ? {}
    : { toolDefinition: { name: tool, inputSchema: { type: 'object' as const } } };

/** One call of a tool, as `McpConnection.call` promises. */
export const callTool = async (context: CallContext, asked: Asked, options: McpCallOptions): Promise<McpToolResult> => {
  const { target, client, link, calls, clock } = context;
  const { tool, input } = asked;
  const { signal, idempotencyKey, onProgress } = options;
  const timeout = options.timeoutMs ?? target.toolMs?.[tool] ?? target.callMs ?? 120_000;
  const params = {
    name: tool,
    arguments: toArguments(input),
    _meta: { 'cloutagent/idempotencyKey': idempotencyKey },
  };
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const patience = createPatience(clock, { ms: timeout, maxMs: timeout * MAX_STRETCH }, () => stop.abort());
  const ended = new AbortController();
  const inFlight: CallInFlight = {
    tool,
    idempotencyKey,
    elicit: options.elicit,
    hold: () => patience.hold(),
    ended: ended.signal,
  };
  calls.add(inFlight);
  try {
    const result = await duringCall(inFlight, () =>
      client.callTool(params, {
        signal: stop.signal,
        timeout: NEVER_MS,
        ...definitionOf(asked),
        onprogress: ({ progress, total, message }) => {
          patience.renew();
          onProgress?.({
            progress,
            ...(total === undefined ? {} : { total }),
            ...(message === undefined ? {} : { message: redact(target.secrets, message) }),
          });
        },
      }),
    );
    return redact(target.secrets, toToolResult(result));
  } catch (error) {
    signal.throwIfAborted();
    const ours = ourErrorIn(error);
    if (ours !== undefined) throw ours;
    if (isSessionLost(error)) throw await context.gone(error);
    if (patience.over) {
      void endIfHung(client, link);
      throw new CloutError(
        'REQUEST_TIMEOUT',
        `The tool ${tool} of the MCP server "${target.id}" took longer than ${timeout / 1000} s`,
        { cause: error, details: { server: target.id, tool, timeoutMs: timeout } },
      );
    }
    const code = sdkCode(error);
    // Numbers are the server's own refusals (JSON-RPC): the model can read them and do better. So it can where one asks for ever.
    if (typeof code === 'number' || code === 'INPUT_REQUIRED_ROUNDS_EXCEEDED')
      return { content: [{ type: 'text', text: redact(target.secrets, messageOf(error)) }], isError: true };
    if (code === 'INVALID_RESULT')
      throw new CloutError(
        'INVALID_TOOL_RESULT',
        `The MCP server "${target.id}" answered ${tool} with something that is no tool result`,
        { hint: 'Its effect is unknown; report this to the makers of the server', cause: error },
      );
    if (error instanceof RangeError) throw new CloutError('PAYLOAD_TOO_LARGE', error.message, { cause: error });
    throw await context.gone(error);
  } finally {
    patience.end();
    ended.abort();
    signal.removeEventListener('abort', onAbort);
    calls.delete(inFlight);
  }
};

/** A call that timed out was cancelled; a process that is not even able to say so is ended, so that nothing goes on unseen. */
const endIfHung = async (client: Client, link: Link): Promise<void> => {
  if (link.pid === undefined) return;
  const options = { timeout: HUNG_AFTER_MS };
  try {
    await (client.getProtocolEra() === 'modern' ? client.discover(options) : client.ping(options));
  } catch (error) {
    if (sdkCode(error) === 'REQUEST_TIMEOUT') await link.stop();
  }
};
