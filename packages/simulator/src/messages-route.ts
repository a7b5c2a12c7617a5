import type { IncomingHttpHeaders } from 'node:http';
import type { Reply as HttpReply, RequestContext } from '@cloutagent/http';
import { newId, type Clock } from '@cloutagent/kit';
import { BEHAVIOURS } from './assist.ts';
import type { PromptCache } from './cache.ts';
import { checkCaller, errorReply, MARK, toRefusal, toRequestId } from './caller.ts';
import type { History } from './history.ts';
import { logRequest, type Outcome } from './journal.ts';
import type { ChooseRule, Choice } from './match.ts';
import { answerWith, type Reply } from './message.ts';
import { sendStream, untilGone } from './pace.ts';
import { invalid, Refusal, typeOfStatus } from './refusal.ts';
import type { MessagesRequest } from './request.ts';
import type { RequestLog } from './request-log.ts';
import type { Delays, ErrorReply, Fault, Speech } from './scenario.ts';
import { fill, type Bindings } from './template.ts';
import { readRequest } from './validate/request.ts';

export interface MessagesDeps {
  readonly clock: Clock;
  readonly choose: ChooseRule;
  readonly delays: Delays;
  readonly cache: PromptCache;
  readonly history: History;
  readonly requestLog: RequestLog | undefined;
  /** Cuts the connection of a request before anything was sent on it. */
  readonly cut: (headers: IncomingHttpHeaders) => void;
}

/** `POST /v1/messages`: every request, refused or answered, is in the log before the first byte of its answer. */
export const answerMessages = async (context: RequestContext, deps: MessagesDeps): Promise<HttpReply> => {
  const { clock, requestLog } = deps;
  const id = toRequestId(newId('req', clock));
  let body: unknown;
  const log = (outcome: Outcome): Promise<void> => logRequest(requestLog, clock, context, { id, body }, outcome);
  try {
    const caller = checkCaller(context);
    body = await context.readJson();
    const request = readRequest(body, { ...caller, nowMs: clock.now() });
    deps.history.check(request);
    const choice = deps.choose(request);
    if (choice === undefined) throw invalid('The scenario of this simulator has no rule for the request');
    return await answerChoice(choice, request, { ...deps, context, id, log });
  } catch (error) {
    const refusal = toRefusal(error);
    if (refusal === undefined) throw error;
    await log({ status: refusal.status, error: { type: refusal.type, message: refusal.message } });
    return errorReply(refusal, id);
  }
};

interface AnswerDeps extends MessagesDeps {
  readonly context: RequestContext;
  readonly id: string;
  readonly log: (outcome: Outcome) => Promise<void>;
}

const answerChoice = (choice: Choice, request: MessagesRequest, deps: AnswerDeps): Promise<HttpReply> => {
  const { answer, bindings, rule } = choice;
  if ('use' in answer) return answerSpeech(BEHAVIOURS[answer.use](request), new Map(), rule, request, deps);
  if ('fault' in answer) {
    // Without a stream there is no middle in which an error could come.
    const isPlainError = answer.fault === 'midstream-error' && !request.stream;
    return isPlainError
      ? answerError(answer.error ?? { status: 529 }, bindings, rule, deps)
      : answerSpeech(answer, bindings, rule, request, deps);
  }
  return 'error' in answer
    ? answerError(answer.error, bindings, rule, deps)
    : answerSpeech(answer, bindings, rule, request, deps);
};

const answerError = async (
  error: ErrorReply,
  bindings: Bindings,
  rule: number,
  deps: AnswerDeps,
): Promise<HttpReply> => {
  const message = fill(error.message ?? `Simulated error ${error.status}`, bindings);
  const type = error.type ?? typeOfStatus(error.status);
  await deps.log({ status: error.status, rule, error: { type, message } });
  return errorReply(new Refusal(error.status, message, type), deps.id, error.retryAfter);
};

const answerSpeech = async (
  speech: Speech | Fault,
  bindings: Bindings,
  rule: number,
  request: MessagesRequest,
  deps: AnswerDeps,
): Promise<HttpReply> => {
  const fault = 'fault' in speech ? speech : undefined;
  const id = deps.id.replace(/^req_/u, 'msg_');
  // No await between the account and the log's queue: the log has the requests in the order in which they were billed.
  const reply = answerWith(speech, bindings, request, { ...deps, monotonicMs: deps.clock.monotonic(), id });
  await deps.log({
    status: isMute(fault, request) ? 0 : 200,
    usage: reply.message.usage,
    stopReason: reply.message.stop_reason,
    rule,
    fault: fault?.fault ?? null,
  });
  return deliver(reply, speech.delayMs ?? 0, fault, request, deps);
};

/** Not one byte of the answer is sent. */
const isMute = (fault: Fault | undefined, { stream }: MessagesRequest): boolean =>
  (fault?.fault === 'drop' && (!stream || fault.afterDeltas === undefined)) || (fault?.fault === 'stall' && !stream);

/** Nobody reads it: the connection is gone. */
const GONE: HttpReply = { kind: 'empty', status: 204, headers: MARK };

const deliver = async (
  reply: Reply,
  delayMs: number,
  fault: Fault | undefined,
  request: MessagesRequest,
  deps: AnswerDeps,
): Promise<HttpReply> => {
  const { clock, context, delays, id } = deps;
  const pace = delays.firstTokenMs + reply.message.usage.output_tokens * delays.perTokenMs;
  const wait = delayMs + (request.stream ? 0 : pace);
  if (wait > 0) await clock.sleep(wait, context.signal).catch(() => undefined);
  if (context.signal.aborted) return GONE;
  if (isMute(fault, request)) {
    if (fault?.fault === 'stall') await untilGone(context.signal);
    else deps.cut(context.headers);
    return GONE;
  }
  const headers = { ...MARK, 'request-id': id };
  if (request.stream) {
    return {
      kind: 'stream',
      contentType: 'text/event-stream',
      onDrain: 'finish',
      headers,
      run: (writer) =>
        sendStream(reply, writer, { delays, clock, requestId: id, ...(fault === undefined ? {} : { fault }) }),
    };
  }
  if (fault === undefined) return { kind: 'json', headers, body: reply.message };
  const whole = JSON.stringify(reply.message);
  return { kind: 'text', contentType: 'application/json', headers, body: whole.slice(0, Math.floor(whole.length / 2)) };
};
