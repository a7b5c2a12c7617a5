import {
  CloutError,
  NO_USAGE,
  toMoney,
  type MoneyOp,
  type RunEventBody,
  type StepRow,
  type Usage,
} from '@cloutagent/contract';
import { retryDelay, type RetryPolicy } from '@cloutagent/kit';
import { learnMargin } from '../budget/margin.ts';
import { queueOf } from '../budget/queue.ts';
import { ModelCallError, type ContentBlock, type ModelAnswer } from '../model/port.ts';
import { knownPriceOf, promptTokens } from '../model/price.ts';
import type { Drive } from '../workflow/drive.ts';
import type { Conversation } from './conversation.ts';
import {
  prefixKey,
  prove,
  reserve,
  type Attempt,
  type ModelResult,
  type ModelStep,
  type ModelUse,
} from './model-attempt.ts';
import { mayRest, rest, restOn, restRow } from './rest.ts';

const RETRY: RetryPolicy = { attempts: 4, baseMs: 500, capMs: 30_000 };

/** Text of an answer's text blocks. */
export const textOf = (content: readonly ContentBlock[]): string =>
  content.map((block) => (block.type === 'text' && typeof block['text'] === 'string' ? block['text'] : '')).join('');

/**
 * One model call as a durable step: reserve, send, then settle and record in one unit. Every attempt is paid apart.
 * Errors: those of ModelCallError after the last attempt, BUDGET_EXHAUSTED, DIVERGED, FENCED, the signal's reason.
 */
export const modelStep = async (drive: Drive, use: ModelUse, step: ModelStep): Promise<ModelResult> => {
  const done = drive.finished(step.key, step.conversation.hash);
  if (done !== undefined) return toResult(done);
  const before = await restOn(drive, step);
  let rests = 0;
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await attemptCall(drive, use, step, {
      nth: attempt,
      tries: attempt - rests,
      rests: before + rests,
    });
    if ('result' in outcome) return outcome.result;
    if (outcome.until === undefined) await drive.clock.sleep(outcome.delayMs, drive.signal);
    else {
      await rest(drive, step, before + rests, outcome.until);
      rests += 1;
    }
  }
};

/** One attempt among those of this driver. */
interface Nth {
  readonly nth: number;
  /** Without those after which the run rested. */
  readonly tries: number;
  /** Of all drivers. */
  readonly rests: number;
}

/** When a failed call is made again. */
interface Again {
  readonly delayMs: number;
  /** The time until which the run rests for it; undefined where it is waited for here. */
  readonly until: number | undefined;
}

const attemptCall = async (
  drive: Drive,
  use: ModelUse,
  step: ModelStep,
  attempt: Nth,
): Promise<{ readonly result: ModelResult } | Again> => {
  drive.signal.throwIfAborted();
  const sent = await reserve(drive, use, step, attempt.nth);
  let requestId: string | null = null;
  try {
    const { conversation, observe } = step;
    const { model, system, tools, options } = conversation.prefix;
    const { maxTokens } = sent.reservation;
    const request = { model, system, tools, options, messages: conversation.messages, maxTokens, cache: sent.cache };
    const idempotencyKey = `${drive.claim.runId}:${drive.place ?? ''}${step.key}#${sent.attempt}`;
    const showText = (text: string, snapshot: boolean): void =>
      drive.onText({ runId: drive.claim.runId, step: step.key, text, snapshot });
    // Readers may still show what an earlier attempt wrote.
    if (sent.attempt > 1) showText('', true);
    for await (const event of use.port.stream(request, { signal: drive.signal, idempotencyKey })) {
      if (event.type === 'end') return { result: await settleKnown(drive, use, step, sent, event.answer) };
      if (event.type === 'start') {
        ({ requestId } = event);
        prove(drive, use, sent, event.usage, requestId);
      }
      if (event.type === 'text') showText(event.text, false);
      await observe?.(
        event.type === 'start'
          ? { type: 'call', step: step.key, usage: event.usage }
          : { type: event.type, step: step.key, text: event.text },
      );
    }
    throw new ModelCallError('MODEL_UNAVAILABLE', 'The answer ended early', { billing: 'unknown', retryable: true });
  } catch (error) {
    // The journal's own errors pass: what happened to the money is then settled by whoever claims the run next.
    if (!(error instanceof ModelCallError)) throw error;
    return settleFailed(drive, use, step, sent, attempt, requestId, error);
  }
};

const settle = (
  sent: Attempt,
  outcome: 'known' | 'unknown' | 'released',
  amountNanoUsd: number,
  usage: Usage | null,
  requestId: string | null,
): MoneyOp => ({
  op: 'settle',
  id: sent.id,
  outcome,
  amountNanoUsd,
  usage,
  requestId,
});

const settleKnown = async (
  drive: Drive,
  use: ModelUse,
  step: ModelStep,
  sent: Attempt,
  answer: ModelAnswer,
): Promise<ModelResult> => {
  const { conversation, key } = step;
  const { maxTokens, amountNanoUsd: reserved } = sent.reservation;
  // Above the bound only if the provider changed its counting; the truth is recorded even then. A kind of call that the
  // table does not price was not asked for, and what it cost nobody knows.
  const known = knownPriceOf(use.price, answer.usage);
  const cost = known ?? reserved;
  learnMargin(drive.journal, use.port.source, conversation.prefix.model, cost, reserved);
  const row: StepRow = {
    key,
    kind: 'model',
    name: conversation.prefix.model,
    inputHash: conversation.hash,
    input: { maxTokens, messages: conversation.messages.length },
    output: { content: answer.content, stopReason: answer.stopReason, requestId: answer.requestId },
    isError: false,
    usage: answer.usage,
    costNanoUsd: cost,
    startedAt: sent.startedAt,
    endedAt: drive.clock.now(),
  };
  const { stopReason, usage } = answer;
  await drive.commit({
    money: [settle(sent, known === undefined ? 'unknown' : 'known', cost, usage, answer.requestId)],
    steps: [row],
    events: [
      { type: 'model.finished', step: key, stopReason, text: textOf(answer.content), usage, cost: toMoney(cost) },
    ],
  });
  queueOf(drive.journal).freed(drive.levels);
  await step.observe?.({ type: 'paid', step: key, usage, costNanoUsd: cost });
  if (conversation.known === null) await learnPrefix(use, conversation, promptTokens(usage));
  return { answer, maxTokens };
};

/** Settles a failed attempt in a unit of its own; says when the next one is made, or throws where there is none. */
const settleFailed = async (
  drive: Drive,
  use: ModelUse,
  step: ModelStep,
  sent: Attempt,
  { nth, tries, rests }: Nth,
  requestId: string | null,
  failure: ModelCallError,
): Promise<Again> => {
  const billed = failure.billing === 'unknown';
  const { code, retryAfterMs = 0 } = failure;
  const resting = failure.retryable && retryAfterMs > RETRY.capMs && mayRest(drive, failure, rests);
  const refusal = drive.signal.aborted ? '' : resting ? undefined : whyNotAgain(use, failure, tries);
  const again = refusal === undefined;
  const delayMs = resting ? Math.ceil(retryAfterMs) : retryDelay(RETRY, tries, drive.random(), retryAfterMs);
  const until = resting ? drive.clock.now() + delayMs : undefined;
  const message = again || refusal === '' ? failure.message : `${failure.message}; ${refusal}`;
  const retry: RunEventBody = { type: 'model.retry', step: step.key, attempt: sent.attempt, code, message, delayMs };
  const money = [settle(sent, billed ? 'unknown' : 'released', billed ? sent.bound : 0, null, requestId)];
  if (!again) await drive.commit({ money });
  else if (until === undefined) await drive.commit({ money, events: [retry] });
  else {
    const row = restRow(drive, step, rests, until);
    await drive.commit({ money, steps: [row], events: [retry, { type: 'wait.started', step: row.key, until }] });
  }
  queueOf(drive.journal).freed(drive.levels);
  if (billed) await step.observe?.({ type: 'lost', step: step.key, costNanoUsd: sent.bound });
  drive.signal.throwIfAborted();
  if (!again) {
    throw new CloutError(code, message, {
      cause: failure,
      details: { step: step.key, attempts: nth },
      ...(retryAfterMs > 0 ? { retryAfter: Math.ceil(retryAfterMs / 1000) } : {}),
    });
  }
  await step.observe?.({ type: 'retry', step: step.key, attempt: nth + 1, delayMs, code, message });
  return { delayMs, until };
};

/** undefined: the call is made again. Otherwise what to add to its error, maybe nothing. */
const whyNotAgain = (use: ModelUse, failure: ModelCallError, nth: number): string | undefined => {
  const { retryable, retryAfterMs = 0 } = failure;
  if (!retryable) return '';
  // Nobody sleeps for an hour inside a call: where the run cannot rest either, whoever starts it again waits.
  if (retryAfterMs > RETRY.capMs) return `it asks to wait for ${Math.ceil(retryAfterMs / 1000)} s`;
  if (nth >= RETRY.attempts) return `it was tried ${nth} times`;
  return use.port.mayRepeat?.() === false ? 'too many calls are being repeated just now to try it again' : undefined;
};

/** The whole input of a first call is an upper bound for its prefix; the smallest that was seen serves best. */
const learnPrefix = async (use: ModelUse, conversation: Conversation, tokens: number): Promise<void> => {
  const { model } = conversation.prefix;
  const key = prefixKey(use, conversation);
  const known = await use.prefixes.getPrefixTokens(model, key);
  if (known === undefined || tokens < known) await use.prefixes.putPrefixTokens(model, key, tokens);
};

/** Rows come back from the journal as they were written above. */
const toResult = (row: StepRow): ModelResult => {
  const { content, stopReason, requestId } = row.output as Omit<ModelAnswer, 'usage'>;
  const { maxTokens } = row.input as { readonly maxTokens: number };
  return { answer: { content, stopReason, requestId, usage: row.usage ?? NO_USAGE }, maxTokens };
};
