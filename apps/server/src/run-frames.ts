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

/** Characters of content that a node has told. */
interface Told {
  /** The call that it told last. */
  readonly step: string;
  readonly chars: number;
  /** Of the whole try. */
  readonly ofTry: number;
}

/** A call that is made again because its answer was cut. */
const CUT = /^(.*)\/more\[(\d+)\]$/u;

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

  /** What was told of each node that is being done: a node makes one call after another. */
  const told = new Map<string, Told>();
  const toldOf = (node: string, step: string): Told => {
    const before = told.get(node);
    return before?.step === step ? before : { step, chars: 0, ofTry: before?.ofTry ?? 0 };
  };
  const contentOf = (step: string, content: string): readonly Frame[] => {
    if (content === '') return [];
    const node = nodeOf(step);
    const { chars, ofTry } = toldOf(node, step);
    told.set(node, { step, chars: chars + content.length, ofTry: ofTry + content.length });
    return [{ nodeId: node, type: 'content', content }];
  };
  /** Takes back what was told of a step. */
  const dropStep = (step: string): number => {
    const node = nodeOf(step);
    const { chars, ofTry } = toldOf(node, step);
    told.set(node, { step, chars: 0, ofTry: ofTry - chars });
    return chars;
  };

  return (frame) => {
    if (frame.event === 'text') {
      const { step, text } = frame.data;
      return contentOf(step, text);
    }
    const { body } = frame.data;
    switch (body.type) {
      case 'node.started': {
        const { node, attempt } = body;
        const discarded = told.get(node)?.ofTry ?? 0;
        told.delete(node);
        if (attempt === 1) return [];
        const message = 'The node failed and is tried again';
        return [{ nodeId: node, type: 'retry', attempt, delayMs: 0, code: 'NODE_FAILED', message, discarded }];
      }
      case 'model.started': {
        const { step } = body;
        const [, first, again] = CUT.exec(step) ?? [];
        if (first === undefined || again === undefined || body.attempt !== 1) return [];
        const attempt = Number(again) + 1;
        const cut = attempt === 2 ? first : `${first}/more[${attempt - 2}]`;
        const message = 'The answer was cut and is asked again with more room';
        const retry = { attempt, delayMs: 0, code: 'MAX_TOKENS', message, discarded: dropStep(cut) } as const;
        return [{ nodeId: nodeOf(step), type: 'retry', ...retry }];
      }
      case 'model.retry': {
        const { step, attempt, code, message, delayMs } = body;
        const retry = { attempt: attempt + 1, delayMs, code, message, discarded: dropStep(step) } as const;
        return [{ nodeId: nodeOf(step), type: 'retry', ...retry }];
      }
      case 'model.finished': {
        const node = nodeOf(body.step);
        const before = spent.get(node) ?? { usage: NO_USAGE, nanoUsd: 0 };
        spent.set(node, { usage: addUsage(before.usage, body.usage), nanoUsd: before.nanoUsd + body.cost.nanoUsd });
        // A call may end before its text was read live, and a reader that comes later finds it here alone.
        return contentOf(body.step, body.text.slice(toldOf(node, body.step).chars));
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
        told.delete(node);
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
