import type { Reply as HttpReply, RequestContext } from '@cloutagent/http';
import { newId } from '@cloutagent/kit';
import { BEHAVIOURS } from './assist.ts';
import type { PromptCache } from './cache.ts';
import { checkCaller, errorReply, MARK, toRefusal, toRequestId } from './caller.ts';
import type { FaultBook } from './fault-book.ts';
import type { History } from './history.ts';
import { logRequest, type Journal, type Outcome } from './journal.ts';
import type { ChooseRule } from './match.ts';
import { answerWith, type Reply } from './message.ts';
import { sendStream, untilGone } from './pace.ts';
import type { Pacer } from './pacer.ts';
import { invalid, Refusal, typeOfStatus } from './refusal.ts';
import type { MessagesRequest } from './request.ts';
import type { Answer, Delays, ErrorReply, Fault, Speech } from './scenario.ts';
import { fill, type Bindings } from './template.ts';
import { readRequest } from './validate/request.ts';

export interface MessagesDeps extends Journal {
  readonly choose: ChooseRule;
  readonly delays: Delays;
  readonly cache: PromptCache;
  readonly history: History;
  readonly faults: FaultBook;
  readonly pacer: Pacer;
}

/** `POST /v1/messages`: every request, refused or answered, is in the log before the first byte of its answer. */
export const answerMessages = async (context: RequestContext, deps: MessagesDeps): Promise<HttpReply> => {
  const id = toRequestId(newId('req', deps.clock));
  let body: unknown;
  const log = (outcome: Outcome): Promise<void> => logRequest(deps, context, { id, body }, outcome);
  try {
    const caller = checkCaller(context);
    body = await context.readJson();
    const request = readRequest(body, { ...caller, nowMs: deps.clock.now() });
    deps.history.check(request);
    return await answer(request, { ...deps, context, id, log });
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

type Refused = { readonly error: ErrorReply };
type Meant = Speech | Fault | Refused;

const NOTHING: Bindings = new Map();

const answer = (request: MessagesRequest, deps: AnswerDeps): Promise<HttpReply> => {
  const order = deps.faults.take(deps.context, request.modelId);
  const early = order?.apply({});
  // The scenario's rule is not used up by a request that never gets as far as the model.
  if (early !== undefined && isError(early)) return answerError(early.error, NOTHING, null, deps);
  const choice = deps.choose(request);
  if (choice === undefined) throw invalid('The scenario of this simulator has no rule for the request');
  const said = speechOf(choice.answer, request);
  const meant = order === undefined || isError(said) ? said : order.apply(said);
  const bindings = 'use' in choice.answer ? NOTHING : choice.bindings;
  if (isError(meant)) return answerError(meant.error, bindings, choice.rule, deps);
  // Without a stream there is no middle in which an error could come.
  return 'fault' in meant && meant.fault === 'midstream-error' && !request.stream
    ? answerError(meant.error ?? { status: 529 }, bindings, choice.rule, deps)
    : answerSpeech(meant, bindings, choice.rule, request, deps);
};

const isError = (meant: Meant): meant is Refused => 'error' in meant && !('fault' in meant);

const speechOf = (chosen: Answer, request: MessagesRequest): Meant =>
  'use' in chosen ? BEHAVIOURS[chosen.use](request) : chosen;

const answerError = async (
  error: ErrorReply,
  bindings: Bindings,
  rule: number | null,
  deps: AnswerDeps,
): Promise<HttpReply> => {
  const message = fill(error.message ?? `Simulated error ${error.status}`, bindings);
  const type = error.type ?? typeOfStatus(error.status);
  await deps.log({ status: error.status, rule, error: { type, message } });
  return errorReply(new Refusal(error.status, message, type, error.errorCode), deps.id, error.retryAfter);
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
  return deliver(reply, speech, request, deps);
};

/** Not one byte of the answer is sent. */
const isMute = (fault: Fault | undefined, { stream }: MessagesRequest): boolean =>
  (fault?.fault === 'drop' && (!stream || fault.afterDeltas === undefined)) || (fault?.fault === 'stall' && !stream);

/** Nobody reads it: the connection is gone. */
const GONE: HttpReply = { kind: 'destroy' };

const deliver = async (
  reply: Reply,
  speech: Speech | Fault,
  request: MessagesRequest,
  deps: AnswerDeps,
): Promise<HttpReply> => {
  const { clock, context, id, pacer } = deps;
  const fault = 'fault' in speech ? speech : undefined;
  const delays = {
    firstTokenMs: speech.firstTokenMs ?? deps.delays.firstTokenMs,
    perTokenMs: speech.perTokenMs ?? deps.delays.perTokenMs,
  };
  const pace = delays.firstTokenMs + reply.message.usage.output_tokens * delays.perTokenMs;
  const wait = (speech.delayMs ?? 0) + (request.stream ? 0 : pace);
  if (wait > 0) await clock.sleep(wait, context.signal).catch(() => undefined);
  if (context.signal.aborted) return GONE;
  if (isMute(fault, request)) {
    if (fault?.fault === 'stall') await untilGone(context.signal);
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
        sendStream(reply, writer, { delays, pacer, requestId: id, ...(fault === undefined ? {} : { fault }) }),
    };
  }
  if (fault === undefined) return { kind: 'json', headers, body: reply.message };
  const whole = JSON.stringify(reply.message);
  return { kind: 'text', contentType: 'application/json', headers, body: whole.slice(0, Math.floor(whole.length / 2)) };
};
