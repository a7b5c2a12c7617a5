import {
  CloutError,
  codeOf,
  showUsd,
  type ErrorCode,
  type SDKExecutionResult,
  type StreamChunk,
} from '@cloutagent/contract';
import type { Context } from './context.ts';
import { oneLine, plain } from './output.ts';
import type { Session } from './session.ts';

export interface Question {
  readonly agentId: string;
  readonly input: string;
  readonly conversationId?: string | undefined;
  readonly timeout?: number | undefined;
}

/** Shows an agent's answer as it comes; gives its result, or undefined where Ctrl-C stopped it. */
export const showAnswer = async (
  context: Context,
  session: Session,
  { agentId, ...body }: Question,
): Promise<SDKExecutionResult | undefined> => {
  const { io, output } = context;
  const controller = new AbortController();
  const stopListening = io.onInterrupt(() => controller.abort());
  // Nobody reads the answer any more, so that nobody should pay for it.
  const stopWatching = io.onOutputClosed(() => controller.abort());
  try {
    for await (const chunk of session.streamAgent(agentId, body, { signal: controller.signal })) {
      output.event(chunk);
      if (!output.json) showChunk(context, chunk);
      if (chunk.type === 'done') return chunk.result;
    }
    return undefined;
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    output.event({ type: 'stopped' });
    if (!output.json) io.stdout.write('\n');
    output.note('Stopped.');
    return undefined;
  } finally {
    stopListening();
    stopWatching();
  }
};

const showChunk = ({ io, output }: Context, chunk: StreamChunk): void => {
  const { dim, red } = output.style;
  switch (chunk.type) {
    case 'content':
      io.stdout.write(plain(chunk.content));
      return;
    case 'tool_call':
      output.note(dim(`→ ${chunk.toolCall.name} ${oneLine(JSON.stringify(chunk.toolCall.input), 100)}`));
      return;
    case 'tool_result':
      output.note(
        (chunk.toolResult.success ? dim : red)(
          `← ${chunk.toolResult.name} ${oneLine(chunk.toolResult.error ?? chunk.toolResult.output, 100)}`,
        ),
      );
      return;
    case 'retry':
      output.note(dim(`${plain(chunk.message)}; again in ${Math.round(chunk.delayMs / 100) / 10} s`));
      if (chunk.discarded > 0) output.note(dim('What was written of the answer is dropped.'));
      return;
    case 'waiting':
      output.note(
        chunk.reason === 'person'
          ? `${oneLine(chunk.title ?? '')}: clout runs approve ${plain(chunk.approval ?? '')} (or deny)`
          : dim(`Waiting for a free place, number ${chunk.position} in line`),
      );
      break;
    default:
  }
};

/** The error of an execution that did not complete, as the command's own. */
export const requireCompleted = (result: SDKExecutionResult): SDKExecutionResult => {
  if (result.status === 'completed') return result;
  const { errorCode = 'UNKNOWN_ERROR', error = 'The execution failed', userMessage } = result;
  throw new CloutError(codeFor(errorCode), error, userMessage === undefined ? {} : { hint: userMessage });
};

/** What a person is shown of money and tokens, after the answer. */
export const showFigures = ({ usage, costNanoUsd = 0, duration, modelCalls = 0 }: SDKExecutionResult): string => {
  const tokens = usage === undefined ? '' : `, ${usage.outputTokens} tokens written`;
  return `${showUsd(costNanoUsd)}, ${(duration / 1000).toFixed(1)} s, ${modelCalls} model calls${tokens}`;
};

const codeFor = (code: string): ErrorCode => {
  const error = Object.assign(new Error(), { code });
  return codeOf(error) ?? 'TASK_FAILED';
};
