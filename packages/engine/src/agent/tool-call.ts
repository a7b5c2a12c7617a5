import { CloutError, codeOf, type McpTool, type StepRow } from '@cloutagent/contract';
import { INVALID_JSON } from '../model/accumulate.ts';
import type { ContentBlock } from '../model/port.ts';
import type { Drive } from '../workflow/drive.ts';
import { hashOf } from '../workflow/hash.ts';
import { openQuestions } from './ask-person.ts';
import type { Observe } from './observe.ts';
import type { ToolPort } from './tool-port.ts';
import { previewOf, toResultBlocks } from './tool-result.ts';

/** A call that a model asked for. */
export interface ToolUse {
  readonly id: string;
  /** Wire name. */
  readonly name: string;
  readonly input: unknown;
}

export interface ToolOutcome {
  /** `server:tool`, or the wire name where no such tool exists. */
  readonly name: string;
  readonly blocks: readonly ContentBlock[];
  readonly isError: boolean;
}

const text = (message: string): readonly ContentBlock[] => [{ type: 'text', text: message }];

/**
 * One tool call as a durable step: an intent before it, a row after it. An intent without a row means that a process died
 * in between: the call is made again only if its tool is read-only or idempotent by annotation, or if told so.
 * Errors: EFFECT_UNKNOWN, MCP_CONNECTION_FAILED, FENCED, DIVERGED, the signal's reason. A failing tool is an outcome.
 */
export const toolStep = async (
  drive: Drive,
  tools: ToolPort,
  key: string,
  use: ToolUse,
  observe?: Observe,
): Promise<ToolOutcome> => {
  const tool = tools.tools().get(use.name);
  const name = tool === undefined ? use.name : `${tool.server}:${tool.name}`;
  const { id, input } = use;
  await observe?.({ type: 'tool_call', id, name, input });
  const begunAt = drive.clock.monotonic();
  const outcome = await runTool(drive, tools, tool, name, key, use, observe);
  const { blocks, isError } = outcome;
  const durationMs = drive.clock.monotonic() - begunAt;
  await observe?.({ type: 'tool_result', id, name, input, blocks, isError, durationMs });
  return outcome;
};

const runTool = async (
  drive: Drive,
  tools: ToolPort,
  tool: McpTool | undefined,
  name: string,
  key: string,
  use: ToolUse,
  observe: Observe | undefined,
): Promise<ToolOutcome> => {
  const inputHash = hashOf({ name, input: use.input });
  const done = drive.finished(key, inputHash);
  if (done !== undefined) return toOutcome(done);

  const call: Call = {
    key,
    name,
    inputHash,
    input: use.input,
    server: tool?.server ?? '',
    tool: tool?.name ?? use.name,
  };
  const refusal = refuse(tool, use) ?? (tool && (await tools.refuse?.(tool, use.input)));
  if (tool === undefined || refusal !== undefined) {
    const startedAt = drive.clock.now();
    return finish(drive, call, { blocks: text(refusal ?? ''), isError: true }, startedAt, true);
  }
  drive.signal.throwIfAborted();
  const repeatable = isRepeatable(tool);
  const begun = drive.claim.openIntents.some((intent) => intent.key === key);
  if (begun && !repeatable && drive.unknown !== 'repeat') {
    if (drive.unknown === undefined) throw effectUnknown(call);
    const message =
      'It is not known whether this call took effect: the process stopped while it ran. Look before you repeat it.';
    return finish(drive, call, { blocks: text(message), isError: true }, drive.clock.now(), false);
  }
  if (!begun) {
    await drive.commit({ intents: [{ key, inputHash, repeatable, name }], events: [startedEvent(call)] });
  }
  const startedAt = drive.clock.now();
  return finish(drive, call, await callTool(drive, tools, tool, call, repeatable, observe), startedAt, false);
};

interface Call {
  readonly key: string;
  readonly name: string;
  readonly inputHash: string;
  readonly input: unknown;
  readonly server: string;
  readonly tool: string;
}

type Result = Pick<ToolOutcome, 'blocks' | 'isError'>;

const isRepeatable = ({ annotations }: McpTool): boolean =>
  annotations.readOnlyHint === true || annotations.idempotentHint === true;

const startedEvent = ({ key, server, tool, input }: Call) =>
  ({ type: 'tool.started', step: key, server, tool, input }) as const;

/** Why a call is not made, or undefined. What only the tool itself can judge is left to it. */
const refuse = (tool: McpTool | undefined, use: ToolUse): string | undefined => {
  if (tool === undefined) return `There is no tool named ${use.name}.`;
  const { input } = use;
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return 'The arguments are not a JSON object.';
  if (INVALID_JSON in input) return 'The arguments are not valid JSON.';
  const { required } = tool.inputSchema;
  const missing = Array.isArray(required)
    ? required.filter((name) => typeof name === 'string' && !Object.hasOwn(input, name))
    : [];
  return missing.length === 0 ? undefined : `Required arguments are missing: ${missing.join(', ')}.`;
};

const effectUnknown = (call: Call, cause?: unknown): CloutError =>
  new CloutError(
    'EFFECT_UNKNOWN',
    `It is not known whether ${call.name} took effect: it was interrupted while it ran`,
    {
      details: { step: call.key, name: call.name, input: call.input },
      cause,
    },
  );

const callTool = async (
  drive: Drive,
  tools: ToolPort,
  tool: McpTool,
  call: Call,
  repeatable: boolean,
  observe: Observe | undefined,
): Promise<Result> => {
  try {
    const idempotencyKey = `${drive.claim.runId}:${drive.place ?? ''}${call.key}`;
    const { people, signal } = drive;
    const elicit = people && openQuestions(drive, people, { key: call.key, tool: tool.name }, observe);
    const result = await tools.call(tool, call.input, { signal, idempotencyKey, ...(elicit && { elicit }) });
    return { blocks: toResultBlocks(result), isError: result.isError };
  } catch (error) {
    drive.signal.throwIfAborted();
    const code = codeOf(error);
    if (code === 'MCP_CONNECTION_FAILED') throw repeatable ? error : effectUnknown(call, error);
    // Only an error of ours is written for others to read.
    const said = code !== undefined && error instanceof Error ? error.message : 'the tool failed';
    return { blocks: text(`The call failed: ${said}`), isError: true };
  }
};

const finish = async (
  drive: Drive,
  call: Call,
  result: Result,
  startedAt: number,
  announce: boolean,
): Promise<ToolOutcome> => {
  const endedAt = drive.clock.now();
  const { key, name, inputHash, input } = call;
  const { blocks, isError } = result;
  const row: StepRow = {
    key,
    kind: 'tool',
    name,
    inputHash,
    input,
    output: { content: blocks },
    isError,
    usage: null,
    costNanoUsd: 0,
    startedAt,
    endedAt,
  };
  // The wall clock may jump back; a duration does not.
  const durationMs = Math.max(0, endedAt - startedAt);
  await drive.commit({
    steps: [row],
    events: [
      ...(announce ? [startedEvent(call)] : []),
      { type: 'tool.finished', step: key, isError, preview: previewOf(blocks), durationMs },
    ],
  });
  return { name, blocks, isError };
};

/** Rows come back from the journal as they were written above. */
const toOutcome = (row: StepRow): ToolOutcome => {
  const { content } = row.output as { readonly content: readonly ContentBlock[] };
  return { name: row.name, blocks: content, isError: row.isError };
};
