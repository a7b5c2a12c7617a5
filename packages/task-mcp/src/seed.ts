import { API_VERSION, CloutError, toErrorBody } from '@cloutagent/contract';
import { checkApiVersion, type Log, type Reply, type RequestContext, type Route } from '@cloutagent/http';
import { toIso } from '@cloutagent/kit';
import { parseCall } from './input.ts';
import { isLocal } from './locality.ts';
import { runTool, type Outcome, type ToolDeps } from './run-tool.ts';
import {
  ndjsonError,
  NDJSON_HEADERS,
  seedErrors,
  seedResult,
  SSE_HEADERS,
  sseError,
  type SeedError,
  type SeedResult,
  type StartedAt,
} from './seed-form.ts';

/** A tool that settles within this time can still choose its HTTP status. */
const HOLD_MS = 200;

export interface SeedDeps extends ToolDeps {
  readonly log: Log;
  readonly maxResponseBytes: number;
  /** Answers a body that is JSON-RPC. */
  readonly jsonRpc: (context: RequestContext, body: object) => Promise<Reply>;
}

/** One tool call on its way. */
interface Call {
  readonly context: RequestContext;
  readonly tool: string;
  readonly startedAt: number;
  readonly begun: number;
}

/** What a call brought: data of the seed's result, and the same as text. */
interface Answer {
  readonly data: { readonly result: SeedResult; readonly duration: number; readonly receipt: Outcome['receipt'] };
  readonly text: string;
}

const memberOf = (body: object, name: string): unknown => new Map<string, unknown>(Object.entries(body)).get(name);

const checkSize = (text: string, limit: number): string => {
  const size = Buffer.byteLength(text);
  if (size <= limit) return text;
  const kb = (bytes: number): number => Math.ceil(bytes / 1024);
  throw new CloutError('RESPONSE_TOO_LARGE', `Response size (${kb(size)}KB) exceeds limit of ${kb(limit)}KB`);
};

/** `POST /sse` and `POST /mcp`: seed tool calls, seed resource reads and JSON-RPC, told apart by the body. */
export const seedRoutes = (deps: SeedDeps): readonly Route[] => {
  const { clock, log, changes, maxResponseBytes } = deps;
  const started: StartedAt = new WeakMap();

  /** Made whole before the first byte, so that one that is too large can still be an error. */
  const answerOf = (call: Call, outcome: Outcome): Answer => {
    const { receipt } = outcome;
    const duration = Math.round(clock.monotonic() - call.begun);
    const result = seedResult(outcome);
    const startedAt = toIso(call.startedAt);
    const data = { apiVersion: API_VERSION, tool: outcome.tool, startedAt, result, duration, receipt };
    return { data, text: checkSize(JSON.stringify(data), maxResponseBytes) };
  };

  const failureOf = (call: Call, error: unknown): SeedError => {
    const { requestId } = call.context;
    log('warn', 'tool failed', { requestId, tool: call.tool, error });
    const body = toErrorBody(error);
    // The status was sent already, so the audit log would take it for a success.
    call.context.note({ error: body.code });
    return { error: body, requestId, timestamp: toIso(clock.now()) };
  };

  const sse = (call: Call, settled: Promise<Answer>): Reply => ({
    kind: 'stream',
    contentType: 'text/event-stream',
    headers: SSE_HEADERS,
    heartbeat: true,
    onDrain: 'finish',
    timed: true,
    onFailure: (writer, error) => writer.sse(sseError(failureOf(call, error), call.startedAt)),
    run: async (writer) => {
      await writer.comment(`keep-alive ${clock.now()}`);
      try {
        await writer.sse({ event: 'result', id: call.context.requestId, data: (await settled).text });
      } catch (error) {
        if (!writer.signal.aborted) await writer.sse(sseError(failureOf(call, error), call.startedAt));
      }
    },
  });

  const ndjson = (call: Call, settled: Promise<Answer>): Reply => ({
    kind: 'stream',
    contentType: 'application/x-ndjson',
    headers: NDJSON_HEADERS,
    onDrain: 'finish',
    timed: true,
    onFailure: async (writer, error) => {
      await writer.ndjson(ndjsonError(failureOf(call, error), clock.now()));
      await writer.ndjson({ type: 'end', ts: clock.now() });
    },
    run: async (writer) => {
      await writer.ndjson({ type: 'start', ts: call.startedAt, tool: call.tool, apiVersion: API_VERSION });
      try {
        const { result, duration, receipt } = (await settled).data;
        await writer.ndjson({ type: 'result', ts: clock.now(), result, duration, receipt });
      } catch (error) {
        if (!writer.signal.aborted) await writer.ndjson(ndjsonError(failureOf(call, error), clock.now()));
      }
      if (!writer.signal.aborted) await writer.ndjson({ type: 'end', ts: clock.now() });
    },
  });

  const callTool = async (context: RequestContext, body: object, tool: string, form: typeof sse): Promise<Reply> => {
    const startedAt = clock.now();
    started.set(context.headers, startedAt);
    const begun = clock.monotonic();
    checkApiVersion(memberOf(body, 'apiVersion'));
    const parsed = parseCall(tool, memberOf(body, 'input'));
    context.note({ tool: parsed.tool, ...('slug' in parsed.input ? { slug: parsed.input.slug } : {}) });
    const { principal, signal } = context;
    const work = runTool(deps, parsed, { principal, local: isLocal(context), signal });
    const call: Call = { context, tool: parsed.tool, startedAt, begun };
    const settled = work.then((outcome) => answerOf(call, outcome));
    // Whoever waits for it may have been told already that the time was over.
    settled.catch(() => undefined);
    const patience = new AbortController();
    const late = clock.sleep(HOLD_MS, patience.signal).catch(() => undefined);
    try {
      // Throws what the tool throws while its status can still be chosen.
      await Promise.race([settled, late]);
    } finally {
      patience.abort();
    }
    return form(call, settled);
  };

  const readResource = async (uri: string): Promise<Reply> => {
    const { mimeType, text } = await changes.read(uri);
    checkSize(text, maxResponseBytes);
    return { kind: 'json', body: { contents: [{ uri, mimeType, text }] } };
  };

  const answer = async (context: RequestContext, form: typeof sse): Promise<Reply> => {
    const body = await context.readJson();
    if (body === null || typeof body !== 'object') throw invalidRequest('body', 'must be a JSON object');
    const speaksJsonRpc = Array.isArray(body)
      ? body.some((item) => item !== null && typeof item === 'object' && 'jsonrpc' in item)
      : Object.hasOwn(body, 'jsonrpc');
    if (speaksJsonRpc) return deps.jsonRpc(context, body);
    const uri = memberOf(body, 'uri');
    const tool = memberOf(body, 'tool');
    if (typeof tool === 'string') return callTool(context, body, tool, form);
    if (tool !== undefined && tool !== null) throw invalidRequest('tool', 'must be a string');
    if (typeof uri === 'string' && memberOf(body, 'method') === 'resource/read') return readResource(uri);
    throw invalidRequest('tool', 'required field missing');
  };

  const route = (path: string, form: typeof sse): Route => ({
    method: 'POST',
    path,
    // What looks is allowed here; tools that do more ask for their own scope.
    scope: 'read',
    formatError: seedErrors(clock, started),
    handler: (context) => answer(context, form),
  });
  return [route('/sse', sse), route('/mcp', ndjson)];
};

const invalidRequest = (field: string, issue: string): CloutError =>
  new CloutError('VALIDATION_ERROR', 'Invalid request format', { details: { field, issue } });
