import type { ErrorCode } from '@cloutagent/contract';
import type { CacheMarks } from '../model/cache.ts';
import type { ContentBlock, ModelAnswer } from '../model/port.ts';
import type { Drive } from '../workflow/drive.ts';
import { withAnswer, withUser, type Conversation } from './conversation.ts';
import { largestAnswer, type ModelResult, type ModelStep, type ModelUse } from './model-attempt.ts';
import type { Observe } from './observe.ts';
import { modelStep, textOf } from './step-model.ts';
import { toolStep, type ToolUse } from './tool-call.ts';
import type { ToolPort } from './tool-port.ts';

export interface AgentRun {
  /** Place of the steps in the run: turns are `${prefix}/turn[k]`, their tool calls `${prefix}/turn[k]/tool[i]`. */
  readonly prefix: string;
  /** Ends with a message of the user. */
  readonly conversation: Conversation;
  readonly maxIterations: number;
  /** What of the prompt other calls will send again; it is marked for the cache where that pays. */
  readonly cache?: CacheMarks | undefined;
  /** Text that is still cut at the largest `max_tokens` is the answer; otherwise it fails. */
  readonly keepCut?: boolean | undefined;
  readonly observe?: Observe | undefined;
}

export interface AgentEnd {
  /** null: the agent said that it is done. */
  readonly failure: { readonly code: ErrorCode; readonly message: string } | null;
  /** The last words, also of an agent that failed. */
  readonly text: string;
  /** Text of the last answer alone; empty where it had none. */
  readonly answer: string;
  /** The whole history, to be continued. */
  readonly conversation: Conversation;
  /** Tools whose last call failed, each once. */
  readonly failedTools: readonly string[];
  /** Of the last answer; undefined where there was none. */
  readonly stopReason: string | undefined;
}

/** Tool calls of one turn that are under way at once; a model asks for a handful, a mad one for hundreds. */
const MAX_PARALLEL_TOOLS = 16;

/**
 * The tool loop: ask, run the tools that the answer names at once, answer with their results in its order, until the model
 * is done or `maxIterations` answers were spent. Finished steps are read from the journal, so that a run that was cut off
 * anywhere goes on where it was.
 */
export const runAgent = async (drive: Drive, use: ModelUse, tools: ToolPort, run: AgentRun): Promise<AgentEnd> => {
  let { conversation } = run;
  let allowance = 0;
  let text = '';
  let said = '';
  let stopReason: string | undefined;
  const failedTools = new Set<string>();
  const end = (failure: AgentEnd['failure']): AgentEnd => ({
    failure,
    text,
    answer: said,
    conversation,
    failedTools: [...failedTools],
    stopReason,
  });

  for (let turn = 0; turn < run.maxIterations; turn += 1) {
    const key = `${run.prefix}/turn[${turn}]`;
    const { answer, maxTokens, grown } = await askWhole(drive, use, {
      key,
      conversation,
      allowance,
      cutAt: undefined,
      cache: run.cache,
      observe: run.observe,
    });
    // Answers of one conversation are alike: one that needed more room is followed by others that do.
    if (grown) allowance = maxTokens;
    said = textOf(answer.content);
    if (said !== '') text = said;
    ({ stopReason } = answer);
    const uses = answer.content.flatMap(toToolUse);
    const kept = run.keepCut === true && stopReason === 'max_tokens' && uses.length === 0;
    const failure = kept ? null : failureOf(answer, maxTokens);
    if (failure !== null) return end(failure);
    conversation = withAnswer(conversation, answer);
    if (uses.length === 0) {
      if (answer.stopReason === 'pause_turn') continue;
      return end(null);
    }
    const outcomes = await mapOrdered(uses, MAX_PARALLEL_TOOLS, (toolUse, index) =>
      toolStep(drive, tools, `${key}/tool[${index}]`, toolUse, run.observe),
    );
    const results = outcomes.map(({ name, blocks, isError }, index): ContentBlock => {
      if (isError) failedTools.add(name);
      else failedTools.delete(name);
      return {
        type: 'tool_result',
        tool_use_id: uses[index]?.id,
        content: blocks,
        ...(isError ? { is_error: true } : {}),
      };
    });
    conversation = withUser(conversation, results);
  }
  return end({ code: 'MAX_ITERATIONS', message: `The agent was not done after ${run.maxIterations} turns` });
};

/**
 * One turn. An answer that was cut at `max_tokens` is paid and dropped, since the tool call at its end may look whole and
 * not be, and asked again with the double.
 */
const askWhole = async (
  drive: Drive,
  use: ModelUse,
  first: ModelStep,
): Promise<ModelResult & { readonly grown: boolean }> => {
  let result = await modelStep(drive, use, first);
  let again = 0;
  while (result.answer.stopReason === 'max_tokens' && result.maxTokens < largestAnswer(use)) {
    again += 1;
    await first.observe?.({ type: 'cut', step: first.key });
    result = await modelStep(drive, use, { ...first, key: `${first.key}/more[${again}]`, cutAt: result.maxTokens });
  }
  return { ...result, grown: again > 0 };
};

/** Works on `limit` items at a time. An error waits for what is under way, so that nothing goes on behind its back. */
const mapOrdered = async <T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<readonly R[]> => {
  const results: R[] = [];
  const failures: { readonly index: number; readonly error: unknown }[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (failures.length > 0) return;
      try {
        results[index] = await work(item, index);
      } catch (error) {
        failures.push({ index, error });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  const [first] = failures.sort((a, b) => a.index - b.index);
  if (first !== undefined) throw first.error;
  return results;
};

const failureOf = ({ stopReason }: ModelAnswer, maxTokens: number): AgentEnd['failure'] => {
  switch (stopReason) {
    case 'end_turn':
    case 'stop_sequence':
    case 'tool_use':
    case 'pause_turn':
      return null;
    case 'max_tokens':
      return {
        code: 'TASK_FAILED',
        message: `The answer was still cut off at ${maxTokens} tokens; split the task or raise run.maxTokens`,
      };
    case 'refusal':
      return { code: 'MODEL_REFUSED', message: 'The model declined this request' };
    case 'model_context_window_exceeded':
      return {
        code: 'TASK_FAILED',
        message: "The conversation no longer fits the model's context window; split the task",
      };
    default:
      return {
        code: 'TASK_FAILED',
        message: `The model stopped for a reason that this version does not know: ${stopReason}`,
      };
  }
};

/** Servers differ in the stop reason beside a tool call, so the call itself counts. */
const toToolUse = (block: ContentBlock): readonly ToolUse[] => {
  const { type, id, name, input } = block;
  return type === 'tool_use' && typeof id === 'string' && typeof name === 'string' ? [{ id, name, input }] : [];
};
