import {
  addUsage,
  NO_USAGE,
  type RunEvent,
  type RunFrame,
  type SDKExecutionResult,
  type StreamChunk,
  type Usage,
} from '@cloutagent/contract';
import type { StreamWriter } from '@cloutagent/http';
import type { Store } from '@cloutagent/store';
import { followRun, type RunSource } from './run-stream.ts';

/** A frame of seed 003: what one node says. */
type Frame = { readonly nodeId: string } & StreamChunk;

interface Spent {
  readonly usage: Usage;
  readonly nanoUsd: number;
}

/** Place of the node that a step belongs to: its key up to the attempt. */
const nodeOf = (step: string): string => {
  const parts = step.split('/');
  const end = parts.findIndex((part) => part.startsWith('try['));
  return (end < 0 ? parts : parts.slice(0, end)).join('/');
};

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};

/** Turns the events of a run into the frames of its nodes. */
export const createFramer = (runId: string): ((frame: RunFrame) => readonly Frame[]) => {
  const spent = new Map<string, Spent>();
  const calls = new Map<string, { readonly name: string; readonly input: unknown; readonly server: string }>();

  const resultOf = (node: string, body: Extract<RunEvent['body'], { type: 'node.finished' }>): SDKExecutionResult => {
    const { usage, nanoUsd } = spent.get(node) ?? { usage: NO_USAGE, nanoUsd: 0 };
    const { status, output, error } = body.outcome;
    return {
      id: `${runId}:${node}`,
      status: status === 'failed' ? 'failed' : 'completed',
      result: output,
      cost: {
        promptTokens: usage.inputTokens + usage.cacheReadTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens,
        completionTokens: usage.outputTokens,
        totalCost: nanoUsd / 1e9,
      },
      duration: body.durationMs,
      ...(error === null ? {} : { error: error.message, errorCode: error.code }),
    };
  };

  /** Characters of each call's text that were told; bounded by the calls that are under way. */
  const told = new Map<string, number>();
  const contentOf = (step: string, content: string): readonly Frame[] =>
    content === '' ? [] : [{ nodeId: nodeOf(step), type: 'content', content }];

  return (frame) => {
    if (frame.event === 'text') {
      const { step, text, snapshot } = frame.data;
      told.set(step, (snapshot ? 0 : (told.get(step) ?? 0)) + text.length);
      return contentOf(step, text);
    }
    const { body } = frame.data;
    switch (body.type) {
      case 'model.finished': {
        const node = nodeOf(body.step);
        const before = spent.get(node) ?? { usage: NO_USAGE, nanoUsd: 0 };
        spent.set(node, { usage: addUsage(before.usage, body.usage), nanoUsd: before.nanoUsd + body.cost.nanoUsd });
        // A call may end before its text was read live, and a reader that comes later finds it here alone.
        const rest = body.text.slice(told.get(body.step) ?? 0);
        told.delete(body.step);
        return contentOf(body.step, rest);
      }
      case 'tool.started': {
        const { step, tool, server, input } = body;
        calls.set(step, { name: tool, input, server });
        return [
          { nodeId: nodeOf(step), type: 'tool_call', toolCall: { id: step, name: tool, input: record(input), server } },
        ];
      }
      case 'tool.finished': {
        const { step, isError, preview, durationMs } = body;
        const call = calls.get(step);
        const toolResult = {
          id: step,
          name: call?.name ?? '',
          input: record(call?.input),
          output: preview,
          duration: durationMs,
          success: !isError,
          ...(isError ? { error: preview } : {}),
          ...(call === undefined ? {} : { server: call.server }),
        };
        calls.delete(step);
        return [{ nodeId: nodeOf(step), type: 'tool_result', toolResult }];
      }
      case 'node.finished': {
        const { node, outcome } = body;
        if (outcome.status === 'skipped') return [];
        const { error } = outcome;
        return [
          ...(error === null ? [] : [{ nodeId: node, type: 'error' as const, error: error.message, code: error.code }]),
          { nodeId: node, type: 'done' as const, result: resultOf(node, body) },
        ];
      }
      default:
        return [];
    }
  };
};

/** Streams `data: {nodeId, …chunk}` until the run has ended or the reader goes. */
export const streamFrames = async (
  deps: RunSource & { readonly store: Store },
  runId: string,
  writer: StreamWriter,
): Promise<void> => {
  const toFrames = createFramer(runId);
  await followRun(deps, runId, 0, writer.signal, async (frame) => {
    for (const one of toFrames(frame)) await writer.sse({ data: JSON.stringify(one) });
  });
};
