import { toMoney, type Usage } from '@cloutagent/contract';
import { newId } from '@cloutagent/kit';
import { holdCall } from '../budget/hold.ts';
import { marginOf } from '../budget/margin.ts';
import { queueOf } from '../budget/queue.ts';
import { firstAllowance, type Call, type Reservation } from '../budget/reserve.ts';
import { BYTES_PER_TOKEN } from '../budget/estimate.ts';
import { boundUnknown, termsOf } from '../budget/terms.ts';
import { inputBound, type PrefixTokens } from '../model/bound.ts';
import { isCached, type CacheMarks } from '../model/cache.ts';
import type { ModelAnswer, ModelPort } from '../model/port.ts';
import { knownPriceOf, type Price } from '../model/price.ts';
import type { Drive } from '../workflow/drive.ts';
import { hashOf } from '../workflow/hash.ts';
import type { Conversation, Prefix } from './conversation.ts';
import type { Observe } from './observe.ts';

/** The model that a run talks to, with what is known of its prices and tokens. */
export interface ModelUse {
  readonly port: ModelPort;
  readonly price: Price;
  readonly prefixes: PrefixTokens;
  /** Largest `max_tokens` of a call. */
  readonly maxTokens: number;
}

export interface ModelStep {
  readonly key: string;
  readonly conversation: Conversation;
  /** `max_tokens` to wish for, where the run's limit would not give more. */
  readonly allowance: number;
  /** `max_tokens` at which this answer was cut before: now the double is needed, and nothing less. */
  readonly cutAt: number | undefined;
  /** What of the prompt other calls will send again. */
  readonly cache?: CacheMarks | undefined;
  readonly observe?: Observe | undefined;
}

export interface ModelResult {
  readonly answer: ModelAnswer;
  /** `max_tokens` of the call. */
  readonly maxTokens: number;
}

/** An attempt whose money is reserved. */
export interface Attempt {
  readonly id: string;
  readonly attempt: number;
  readonly reservation: Reservation;
  /** Marks that its request bears, and that its bound has paid for. */
  readonly cache: CacheMarks | undefined;
  readonly startedAt: number;
  /** Most that it can have cost, once the start of the answer proves less than was reserved. */
  bound: number;
  /** Whether the start of the answer says all that was read; searches of the server add to it later. */
  readonly provable: boolean;
}

/** More than `RETRY.attempts`, so that the attempts of two drivers never bear the same number. */
const ATTEMPTS_PER_DRIVER = 10;

/** Largest `max_tokens` that the run and the model allow. */
export const largestAnswer = ({ maxTokens, price }: ModelUse): number =>
  Math.min(maxTokens, price.maxOutputTokens ?? maxTokens);

/** The last key of each prefix: an agent asks for the same one at every call. */
const prefixKeys = new WeakMap<Prefix, { readonly source: string; readonly key: string }>();

/** Counts of one source say nothing about another. */
export const prefixKey = ({ port: { source } }: ModelUse, { prefix }: Conversation): string => {
  const last = prefixKeys.get(prefix);
  if (last?.source === source) return last.key;
  const key = hashOf([source, prefix.hash]);
  prefixKeys.set(prefix, { source, key });
  return key;
};

/** Upper bound of the tokens of a call's prompt. Errors: BOUND_UNKNOWN. */
const promptBound = async (drive: Drive, use: ModelUse, step: ModelStep): Promise<number> => {
  const { conversation } = step;
  const { model, system, tools, options } = conversation.prefix;
  if (conversation.unbounded !== null) {
    // Only the provider can say what such content counts; its figure is an estimate of its own, hence the margin.
    const request = { model, system, tools, messages: conversation.messages, maxTokens: 1, options };
    const counted = await use.port.countTokens?.(request, drive.signal);
    if (counted !== undefined) return Math.ceil(counted * 1.1) + 64;
    throw boundUnknown(`content of the kind ${conversation.unbounded}`, conversation.unbounded);
  }
  const known =
    conversation.known === null ? await use.prefixes.getPrefixTokens(model, prefixKey(use, conversation)) : undefined;
  return inputBound(conversation, known);
};

/** Marks that pay: by what is known of the prompt's tokens, and a rule of thumb for the rest. What is not cached yet is next time. */
const marksOf = ({ port, price }: ModelUse, { cache, conversation }: ModelStep): CacheMarks | undefined => {
  if (cache === undefined || port.caches === false) return undefined;
  const { known, freshBytes, prefix } = conversation;
  const bytes = cache === 'prefix' ? prefix.bytes : (known === null ? prefix.bytes : 0) + freshBytes;
  const tokens = (cache === 'prefix' ? 0 : (known ?? 0)) + Math.ceil(bytes / BYTES_PER_TOKEN);
  return isCached(price, tokens) ? cache : undefined;
};

/**
 * Reserves the bound of a call, durable before it is sent; waits while others hold what it needs.
 * Errors: BUDGET_EXHAUSTED, BOUND_UNKNOWN, FENCED.
 */
export const reserve = async (drive: Drive, use: ModelUse, step: ModelStep, nth: number): Promise<Attempt> => {
  const { key } = step;
  const { model } = step.conversation.prefix;
  const id = newId('rsv', drive.clock);
  const attempt = (drive.claim.fence - 1) * ATTEMPTS_PER_DRIVER + nth;
  const most = largestAnswer(use);
  const wished =
    step.cutAt === undefined
      ? Math.max(step.allowance, firstAllowance(use.price, drive.claim.run.limitNanoUsd, most))
      : 2 * step.cutAt;
  const cache = marksOf(use, step);
  const terms = termsOf(step.conversation, cache !== undefined);
  const call: Call = {
    price: use.price,
    ...terms,
    inputTokens: (await promptBound(drive, use, step)) + terms.searchTokens,
    marginPermille: marginOf(drive.journal, use.port.source, model),
    outputTokens: Math.min(most, wished),
    exact: step.cutAt !== undefined,
  };
  const reservation = await holdCall(call, {
    queue: queueOf(drive.journal),
    levels: drive.levels,
    clock: drive.clock,
    signal: drive.signal,
    hold: ({ amountNanoUsd }) =>
      drive.commit({
        money: [{ op: 'reserve', id, stepKey: key, attempt, model, priceId: use.price.id, amountNanoUsd }],
        events: [{ type: 'model.started', step: key, model, attempt, reserved: toMoney(amountNanoUsd) }],
      }),
  });
  return {
    id,
    attempt,
    reservation,
    cache,
    startedAt: drive.clock.now(),
    bound: reservation.amountNanoUsd,
    provable: terms.searchTokens === 0,
  };
};

/**
 * The start of an answer says exactly what was read; with the largest answer it is the most that the call can cost. Journaled
 * at once, so that a crash does not book more. Nothing waits for it: without it the first bound stands.
 */
export const prove = (drive: Drive, use: ModelUse, sent: Attempt, usage: Usage, requestId: string | null): void => {
  if (!sent.provable) return;
  const cost = knownPriceOf(use.price, {
    ...usage,
    outputTokens: Math.max(usage.outputTokens, sent.reservation.maxTokens),
  });
  if (cost === undefined || cost >= sent.bound) return;
  sent.bound = cost;
  drive
    .commit({ money: [{ op: 'proven', id: sent.id, boundNanoUsd: cost, usage, requestId }] })
    // A store that does not take it will not take the step either, and that is told.
    .catch(() => undefined);
};
