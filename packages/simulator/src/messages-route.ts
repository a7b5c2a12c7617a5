import type { Reply as HttpReply, RequestContext } from '@cloutagent/http';
import { newId } from '@cloutagent/kit';
import type { PromptCache } from './cache.ts';
import { checkCaller, errorReply, MARK, toRefusal, toRequestId } from './caller.ts';
import { decide, isRefused, NOTHING, type Decision } from './decide.ts';
import type { FaultBook } from './fault-book.ts';
import type { History } from './history.ts';
import { logRequest, type Journal, type Outcome } from './journal.ts';
import type { ChooseRule } from './match.ts';
import { answerWith, type Reply } from './message.ts';
import { sendStream, untilGone } from './pace.ts';
import type { Pacer } from './pacer.ts';
import type { ServerProfile } from './profile.ts';
import { Refusal, typeOfStatus } from './refusal.ts';
import type { MessagesRequest } from './request.ts';
import type { Delays, ErrorReply, Fault, Speech } from './scenario.ts';
import { fill, type Bindings } from './template.ts';
import { readRequest } from './validate/request.ts';

export interface MessagesDeps extends Journal {
  readonly choose: ChooseRule;
  readonly delays: Delays;
  readonly cache: PromptCache;
  readonly history: History;
  readonly faults: FaultBook;
  readonly pacer: Pacer;
  readonly profile: ServerProfile;
}

/** What of a request decides its answer; a request of a batch has no connection of its own. */
export type Asked = Pick<RequestContext, 'method' | 'url' | 'headers' | 'signal' | 'readJson'>;

/** `POST /v1/messages`: every request, refused or answered, is in the log before the first byte of its answer. */
export const answerMessages = async (context: Asked, deps: MessagesDeps): Promise<HttpReply> => {
  const id = toRequestId(newId('req', deps.clock));
  let body: unknown;
  const log = (outcome: Outcome): Promise<void> => logRequest(deps, context, { id, body }, outcome);
  try {
    const caller = checkCaller(context, deps.profile);
    body = await context.readJson();
    const request = readRequest(body, { ...caller, nowMs: deps.clock.now() });
    if (deps.profile.bindsHistory) deps.history.check(request);
    return await answer(request, caller.betas, { ...deps, context, id, log });
  } catch (error) {
    const refusal = toRefusal(error);
    if (refusal === undefined) throw error;
    await log({ status: refusal.status, error: { type: refusal.type, message: refusal.message } });
    return errorReply(refusal, id);
  }
};

interface AnswerDeps extends MessagesDeps {
  readonly context: Asked;
  readonly id: string;
  readonly log: (outcome: Outcome) => Promise<void>;
}

const answer = async (request: MessagesRequest, betas: ReadonlySet<string>, deps: AnswerDeps): Promise<HttpReply> => {
  const order = deps.faults.take(deps.context, request.modelId);
  const early = order?.apply({});
  // The scenario's rule is not used up by a request that never gets as far as the model.
  if (early !== undefined && isRefused(early)) return answerError(early.error, NOTHING, null, deps);
  const decision = await decide(request, { choose: deps.choose, id: deps.id, betas, signal: deps.context.signal });
  const { bindings, rule } = decision;
  const meant = order === undefined || isRefused(decision.meant) ? decision.meant : order.apply(decision.meant);
  if (isRefused(meant)) return answerError(meant.error, bindings, rule, deps);
  const fault = faultOf(meant);
  // Without a stream there is no middle in which an error could come.
  return fault?.fault === 'midstream-error' && !request.stream
    ? answerError(fault.error ?? { status: 529 }, bindings, rule, deps)
    : answerSpeech(meant, decision, request, deps);
};

const faultOf = (speech: Speech | Fault): Fault | undefined => ('fault' in speech ? speech : undefined);

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
  { bindings, rule, before }: Decision,
  request: MessagesRequest,
  deps: AnswerDeps,
): Promise<HttpReply> => {
  const fault = faultOf(speech);
  const id = deps.id.replace(/^req_/u, 'msg_');
  // No await between the account and the log's queue: the log has the requests in the order in which they were billed.
  const reply = answerWith(speech, bindings, request, { ...deps, before, monotonicMs: deps.clock.monotonic(), id });
  await deps.log({
    status: isMute(fault, request) ? 0 : 200,
    usage: reply.usage,
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
  const fault = faultOf(speech);
  const delays = {
    firstTokenMs: speech.firstTokenMs ?? deps.delays.firstTokenMs,
    perTokenMs: speech.perTokenMs ?? deps.delays.perTokenMs,
  };
  const pace = delays.firstTokenMs + reply.usage.output_tokens * delays.perTokenMs;
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
