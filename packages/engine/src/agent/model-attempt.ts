import { codeOf, toMoney } from '@cloutagent/contract';
import { newId } from '@cloutagent/kit';
import { firstAllowance, fitCall, type Reservation } from '../budget/reserve.ts';
import { inputBound, type PrefixTokens } from '../model/bound.ts';
import type { ModelAnswer, ModelPort } from '../model/port.ts';
import type { Price } from '../model/price.ts';
import { cachingPrice } from '../model/registry.ts';
import type { Drive } from '../workflow/drive.ts';
import { hashOf } from '../workflow/hash.ts';
import type { Conversation } from './conversation.ts';
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
  readonly startedAt: number;
}

/** More than `RETRY.attempts`, so that the attempts of two drivers never bear the same number. */
const ATTEMPTS_PER_DRIVER = 10;

/** Largest `max_tokens` that the run and the model allow. */
export const largestAnswer = ({ maxTokens, price }: ModelUse): number =>
  Math.min(maxTokens, price.maxOutputTokens ?? maxTokens);

/** Counts of one source say nothing about another. */
export const prefixKey = (use: ModelUse, conversation: Conversation): string =>
  hashOf([use.port.source, conversation.prefix.hash]);

/** Reserves the bound of a call, durable before it is sent. Errors: BUDGET_EXHAUSTED, FENCED. */
export const reserve = async (drive: Drive, use: ModelUse, step: ModelStep, nth: number): Promise<Attempt> => {
  const { conversation, key } = step;
  const { model } = conversation.prefix;
  const prefixTokens =
    conversation.known === null ? await use.prefixes.getPrefixTokens(model, prefixKey(use, conversation)) : undefined;
  const id = newId('rsv', drive.clock);
  const price = conversation.prefix.options?.cache === true ? cachingPrice(use.price) : use.price;
  const attempt = (drive.claim.fence - 1) * ATTEMPTS_PER_DRIVER + nth;
  for (let last = false; ; last = true) {
    const budgets = await drive.journal.budgets(drive.levels);
    const most = largestAnswer(use);
    const wished =
      step.cutAt === undefined ? Math.max(step.allowance, firstAllowance(price, budgets, most)) : 2 * step.cutAt;
    const inputTokens = inputBound(conversation, prefixTokens);
    const call = {
      price,
      inputTokens,
      outputTokens: Math.min(most, wished),
      exact: step.cutAt !== undefined,
    };
    const reservation = fitCall(call, budgets);
    const { amountNanoUsd } = reservation;
    try {
      await drive.commit({
        money: [
          {
            op: 'reserve',
            id,
            stepKey: key,
            attempt,
            model,
            priceId: use.price.id,
            amountNanoUsd,
            levels: drive.levels,
          },
        ],
        events: [{ type: 'model.started', step: key, model, attempt, reserved: toMoney(amountNanoUsd) }],
      });
      return { id, attempt, reservation, startedAt: drive.clock.now() };
    } catch (error) {
      // Another run took the project's money in between: look once more at what is left.
      if (last || codeOf(error) !== 'BUDGET_EXHAUSTED') throw error;
    }
  }
};
