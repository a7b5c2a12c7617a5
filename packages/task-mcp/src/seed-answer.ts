import { API_VERSION, toErrorBody } from '@cloutagent/contract';
import type { Log, Reply, RequestContext } from '@cloutagent/http';
import { encodeSse, encodeSseComment, toIso, type Clock } from '@cloutagent/kit';
import { logFailure } from './failure.ts';
import type { Outcome } from './run-tool.ts';
import { ndjsonError, NDJSON_HEADERS, SSE_HEADERS, sseError, type SeedError, type SeedResult } from './seed-form.ts';

/** One tool call on its way. */
export interface Call {
  readonly context: RequestContext;
  readonly tool: string;
  readonly startedAt: number;
  readonly begun: number;
}

/** What a call brought: data of the seed's result, and the same as JSON. */
export interface Answer {
  readonly data: { readonly result: SeedResult; readonly duration: number; readonly receipt: Outcome['receipt'] };
  /** That text in pieces, without its opening brace: each form has members of its own before these. */
  readonly rest: readonly (string | Buffer)[];
}

/** One of the seed's two ways to answer: in one piece while the call was quick, else as a stream. */
export interface Form {
  readonly whole: (call: Call, answer: Answer) => Reply;
  readonly stream: (call: Call, settled: Promise<Answer>) => Reply;
}

interface FormDeps {
  readonly clock: Clock;
  readonly log: Log;
}

/** What a caller may see of a failure; all of it goes to the log. */
export const failureOf = (
  { clock, log }: FormDeps,
  { context, tool }: Omit<Call, 'begun' | 'startedAt'>,
  error: unknown,
): SeedError => {
  const { requestId } = context;
  logFailure(log, { requestId, tool, error });
  const body = toErrorBody(error);
  // The status was sent already, so the audit log would take it for a success.
  context.note({ code: body.code });
  return { error: body, requestId, timestamp: toIso(clock.now()) };
};

/** Seed 002 "Response Format (SSE Events)". */
export const sseForm = (deps: FormDeps): Form => {
  const { clock } = deps;
  const greeting = (): string => `keep-alive ${clock.now()}`;
  const resultOf = ({ context, tool, startedAt }: Call, { rest }: Answer) => {
    const head = JSON.stringify({ apiVersion: API_VERSION, tool, startedAt: toIso(startedAt) });
    return { event: 'result', id: context.requestId, data: `${head.slice(0, -1)},${rest.join('')}` };
  };
  return {
    whole: (call, answer) => ({
      kind: 'text',
      contentType: 'text/event-stream',
      headers: SSE_HEADERS,
      body: encodeSseComment(greeting()) + encodeSse(resultOf(call, answer)),
    }),
    stream: (call, settled) => ({
      kind: 'stream',
      contentType: 'text/event-stream',
      headers: SSE_HEADERS,
      heartbeat: true,
      onDrain: 'finish',
      timed: true,
      onFailure: (writer, error) => writer.sse(sseError(failureOf(deps, call, error), call.startedAt)),
      run: async (writer) => {
        await writer.comment(greeting());
        try {
          await writer.sse(resultOf(call, await settled));
        } catch (error) {
          if (!writer.signal.aborted) await writer.sse(sseError(failureOf(deps, call, error), call.startedAt));
        }
      },
    }),
  };
};

/** Seed 002 "Response Format (NDJSON)". */
export const ndjsonForm = (deps: FormDeps): Form => {
  const { clock } = deps;
  // Names of tools and the version are plain words, and these lines stand around every answer.
  const start = ({ startedAt, tool }: Call): string =>
    `{"type":"start","ts":${startedAt},"tool":"${tool}","apiVersion":"${API_VERSION}"}\n`;
  const resultOf = ({ data: { result, duration, receipt } }: Answer) => ({
    type: 'result',
    ts: clock.now(),
    result,
    duration,
    receipt,
  });
  const end = (): string => `{"type":"end","ts":${clock.now()}}\n`;
  return {
    whole: (call, answer) => ({
      kind: 'text',
      contentType: 'application/x-ndjson',
      headers: NDJSON_HEADERS,
      body: [`${start(call)}{"type":"result","ts":${clock.now()},`, ...answer.rest, `\n${end()}`],
    }),
    stream: (call, settled) => ({
      kind: 'stream',
      contentType: 'application/x-ndjson',
      headers: NDJSON_HEADERS,
      onDrain: 'finish',
      timed: true,
      onFailure: async (writer, error) => {
        await writer.ndjson(ndjsonError(failureOf(deps, call, error), clock.now()));
        await writer.frames(end());
      },
      run: async (writer) => {
        await writer.frames(start(call));
        try {
          await writer.ndjson(resultOf(await settled));
        } catch (error) {
          if (!writer.signal.aborted) await writer.ndjson(ndjsonError(failureOf(deps, call, error), clock.now()));
        }
        if (!writer.signal.aborted) await writer.frames(end());
      },
    }),
  };
};
