import type { ErrorCode } from '@cloutagent/contract';
import type { ContentBlock, ModelAnswer } from '../model/port.ts';
import type { Drive } from '../workflow/drive.ts';
import { withAnswer, withUser, type Conversation } from './conversation.ts';
import { largestAnswer, type ModelResult, type ModelUse } from './model-attempt.ts';
import { modelStep, textOf } from './step-model.ts';
import { toolStep, type ToolUse } from './tool-call.ts';
import type { ToolPort } from './tool-port.ts';

export interface AgentRun {
  /** Place of the steps in the run: turns are `${prefix}/turn[k]`, their tool calls `${prefix}/turn[k]/tool[i]`. */
  readonly prefix: string;
  /** Ends with a message of the user. */
  readonly conversation: Conversation;
  readonly maxIterations: number;
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
}

/**
 * The tool loop: ask, run the tools that the answer names one after another, answer with their results, until the model is
 * done or `maxIterations` answers were spent. Finished steps are read from the journal, so that a run that was cut off
 * anywhere goes on where it was.
 */
export const runAgent = async (drive: Drive, use: ModelUse, tools: ToolPort, run: AgentRun): Promise<AgentEnd> => {
  let { conversation } = run;
  let allowance = 0;
  let text = '';
  let said = '';
  const failedTools = new Set<string>();
  const end = (failure: AgentEnd['failure']): AgentEnd => ({
    failure,
    text,
    answer: said,
    conversation,
    failedTools: [...failedTools],
  });

  for (let turn = 0; turn < run.maxIterations; turn += 1) {
    const key = `${run.prefix}/turn[${turn}]`;
    const { answer, maxTokens, grown } = await askWhole(drive, use, key, conversation, allowance);
    // Answers of one conversation are alike: one that needed more room is followed by others that do.
    if (grown) allowance = maxTokens;
    said = textOf(answer.content);
    if (said !== '') text = said;
    const failure = failureOf(answer, maxTokens);
    if (failure !== null) return end(failure);
    conversation = withAnswer(conversation, answer);
    const uses = answer.content.flatMap(toToolUse);
    if (uses.length === 0) {
      if (answer.stopReason === 'pause_turn') continue;
      return end(null);
    }
    const results: ContentBlock[] = [];
    for (const [index, toolUse] of uses.entries()) {
      const outcome = await toolStep(drive, tools, `${key}/tool[${index}]`, toolUse);
      if (outcome.isError) failedTools.add(outcome.name);
      else failedTools.delete(outcome.name);
      results.push({
        type: 'tool_result',
        tool_use_id: toolUse.id,
        content: outcome.blocks,
        ...(outcome.isError ? { is_error: true } : {}),
      });
    }
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
  key: string,
  conversation: Conversation,
  allowance: number,
): Promise<ModelResult & { readonly grown: boolean }> => {
  let result = await modelStep(drive, use, { key, conversation, allowance, cutAt: undefined });
  let again = 0;
  while (result.answer.stopReason === 'max_tokens' && result.maxTokens < largestAnswer(use)) {
    again += 1;
    result = await modelStep(drive, use, {
      key: `${key}/more[${again}]`,
      conversation,
      allowance,
      cutAt: result.maxTokens,
    });
  }
  return { ...result, grown: again > 0 };
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
