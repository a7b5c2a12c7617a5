import { CloutError, codeOf, failureKind, type SDKExecutionResult } from '@cloutagent/contract';
import { promptTokens } from '../model/price.ts';
import type { Tally } from './chunks.ts';
import type { AgentEnd } from './loop.ts';

const NANO = 1_000_000_000;

/** Why an execution was stopped from outside; the reason of its signal. */
export const TIMED_OUT = new CloutError('REQUEST_TIMEOUT', 'The execution took too long');

export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** What to say of a problem; undefined where there is none. */
export const failureOf = (problem: unknown, signal: AbortSignal): Failure | undefined => {
  if (problem === undefined) return undefined;
  if (signal.aborted) {
    return signal.reason === TIMED_OUT
      ? { code: TIMED_OUT.code, message: TIMED_OUT.message }
      : { code: 'CANCELLED', message: 'The execution was cancelled' };
  }
  // An error or the loop's own failure; both may have these.
  const { code, message } = problem as Partial<Failure>;
  // Only errors of ours are written for others to read.
  const known = !(problem instanceof Error) || codeOf(problem) !== undefined;
  return known && code !== undefined && message !== undefined
    ? { code, message }
    : { code: 'INTERNAL_ERROR', message: 'The execution failed for a reason that is not known' };
};

/** The result of an execution in the seed's form. */
export const toResult = (
  execution: { readonly id: string; readonly structured: boolean; readonly warnings: readonly string[] },
  tally: Tally,
  end: AgentEnd | undefined,
  failure: Failure | undefined,
  duration: number,
): SDKExecutionResult => {
  const { usage, costNanoUsd, modelCalls, toolCalls } = tally;
  const text = failure === undefined ? (end?.answer ?? '') : (end?.text ?? '');
  const structured = execution.structured && failure === undefined ? parseAnswer(text) : undefined;
  const warnings = structured === null ? [...execution.warnings, 'The answer is not JSON'] : execution.warnings;
  return {
    id: execution.id,
    status: failure === undefined ? 'completed' : failure.code === TIMED_OUT.code ? 'timeout' : 'failed',
    result: text,
    cost: {
      promptTokens: promptTokens(usage),
      completionTokens: usage.outputTokens,
      totalCost: costNanoUsd / NANO,
    },
    duration,
    usage,
    costNanoUsd,
    modelCalls,
    toolCalls: [...toolCalls],
    ...(end?.stopReason === undefined ? {} : { stopReason: end.stopReason }),
    ...(structured === undefined || structured === null ? {} : { structured: structured.value }),
    ...(warnings.length === 0 ? {} : { warnings: [...warnings] }),
    ...(failure === undefined ? {} : describe(failure)),
  };
};

const describe = ({ code, message }: Failure) => {
  const { category, userMessage } = failureKind(code);
  return { error: message, errorCode: code, errorCategory: category, userMessage };
};

/** null where the text is not JSON. */
const parseAnswer = (text: string): { readonly value: unknown } | null => {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return null;
  }
};
