import { CloutError } from '@cloutagent/contract';
import { checkApiVersion, type Log, type Reply, type RequestContext, type Route } from '@cloutagent/http';
import { parseCall } from './input.ts';
import { keptJson } from './kept-json.ts';
import { callerIn } from './locality.ts';
import { openPatience } from './patience.ts';
import { invalidResult, runTool, type Outcome, type ToolDeps } from './run-tool.ts';
import { failureOf, ndjsonForm, sseForm, type Answer, type Call, type Form } from './seed-answer.ts';
import { batchOf, batchReply, type BatchAnswer } from './seed-batch.ts';
import { requireBytes, requireSize } from './size.ts';
import { seedErrors, seedResult, type SeedResult } from './seed-form.ts';

/** A tool that settles within this time can still choose its HTTP status. */
const HOLD_MS = 200;

export interface SeedDeps extends ToolDeps {
  readonly log: Log;
  readonly maxResponseBytes: number;
  /** Answers a body that is JSON-RPC. */
  readonly jsonRpc: (context: RequestContext, body: object) => Promise<Reply>;
}

/** Bodies come from `JSON.parse`, so their members are their own and nothing else. */
const memberOf = (body: object, name: string): unknown =>
  Object.hasOwn(body, name) ? (body as Readonly<Record<string, unknown>>)[name] : undefined;

/** A result as JSON in pieces; a page in it is made into bytes once. */
const piecesOf = (tool: Outcome['tool'], { content, structuredContent }: SeedResult): readonly (string | Buffer)[] => {
  try {
    const text = JSON.stringify(content);
    if (structuredContent === undefined) return [`{"content":${text}}`];
    return [`{"content":${text},"structuredContent":`, keptJson(structuredContent), '}'];
  } catch (cause) {
    throw invalidResult(tool, cause);
  }
};

/** `POST /sse` and `POST /mcp`: seed tool calls, seed resource reads and JSON-RPC, told apart by the body. */
export const seedRoutes = (deps: SeedDeps): readonly Route[] => {
  const { clock, changes, maxResponseBytes } = deps;
  const patience = openPatience(clock, HOLD_MS);
  const sse = sseForm(deps);
  const ndjson = ndjsonForm(deps);

  /** Made whole before the first byte, so that one that is too large can still be an error. */
  const answerOf = (call: Call, outcome: Outcome): Answer => {
    const { receipt } = outcome;
    const duration = Math.round(clock.monotonic() - call.begun);
    const result = seedResult(outcome);
    const pieces = piecesOf(outcome.tool, result);
    requireBytes(
      pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0),
      maxResponseBytes,
    );
    const rest = ['"result":', ...pieces, `,"duration":${duration},"receipt":${JSON.stringify(receipt)}}`];
    return { data: { result, duration, receipt }, rest };
  };

  const begin = (context: RequestContext, body: object, tool: string): { call: Call; work: Promise<Answer> } => {
    const startedAt = clock.now();
    const begun = clock.monotonic();
    checkApiVersion(memberOf(body, 'apiVersion'));
    const parsed = parseCall(tool, memberOf(body, 'input'));
    context.note('slug' in parsed.input ? { tool: parsed.tool, slug: parsed.input.slug } : { tool: parsed.tool });
    const call: Call = { context, tool: parsed.tool, startedAt, begun };
    const work = runTool(deps, parsed, callerIn(context)).then((outcome) => answerOf(call, outcome));
    // Whoever waits for it may have been told already that the time was over.
    work.catch(() => undefined);
    return { call, work };
  };

  const callTool = async (context: RequestContext, body: object, tool: string, form: Form): Promise<Reply> => {
    const { call, work } = begin(context, body, tool);
    // Throws what the tool throws while its status can still be chosen.
    const answer = await patience.wait(work);
    return answer === undefined ? form.stream(call, work) : form.whole(call, answer);
  };

  /** One call of a batch; whatever is wrong with it is its own answer and not that of the batch. */
  const callInBatch = async (context: RequestContext, body: object): Promise<BatchAnswer> => {
    const tool = memberOf(body, 'tool');
    try {
      if (typeof tool !== 'string') throw invalidRequest('tool', 'required field missing');
      const { result, duration, receipt } = (await begin(context, body, tool).work).data;
      return { done: { result, duration, receipt } };
    } catch (error) {
      return { failure: failureOf(deps, { context, tool: typeof tool === 'string' ? tool : '' }, error) };
    }
  };

  const readResource = async (uri: string): Promise<Reply> => {
    const { mimeType, text } = await changes.read(uri);
    requireSize(text, maxResponseBytes);
    return { kind: 'json', body: { contents: [{ uri, mimeType, text }] } };
  };

  const answer = async (context: RequestContext, form: Form): Promise<Reply> => {
    const body = await context.readJson();
    if (body === null || typeof body !== 'object') throw invalidRequest('body', 'must be a JSON object');
    const speaksJsonRpc = Array.isArray(body)
      ? body.some((item) => item !== null && typeof item === 'object' && 'jsonrpc' in item)
      : Object.hasOwn(body, 'jsonrpc');
    if (speaksJsonRpc) return deps.jsonRpc(context, body);
    if (Array.isArray(body)) {
      if (form !== ndjson) throw invalidRequest('body', 'a batch of calls goes to /mcp');
      return batchReply(batchOf(body), clock, (call) => callInBatch(context, call));
    }
    const uri = memberOf(body, 'uri');
    const tool = memberOf(body, 'tool');
    if (typeof tool === 'string') return callTool(context, body, tool, form);
    if (tool !== undefined && tool !== null) throw invalidRequest('tool', 'must be a string');
    if (typeof uri === 'string' && memberOf(body, 'method') === 'resource/read') return readResource(uri);
    throw invalidRequest('tool', 'required field missing');
  };

  const route = (path: string, form: Form): Route => ({
    method: 'POST',
    path,
    // What looks is allowed here; tools that do more ask for their own scope.
    scope: 'read',
    formatError: seedErrors(clock),
    handler: (context) => answer(context, form),
  });
  return [route('/sse', sse), route('/mcp', ndjson)];
};

const invalidRequest = (field: string, issue: string): CloutError =>
  new CloutError('VALIDATION_ERROR', 'Invalid request format', { details: { field, issue } });
