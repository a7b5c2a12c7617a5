import {
  addUsage,
  NO_USAGE,
  type StreamChunk,
  type ToolCall,
  type ToolCallResult,
  type Usage,
} from '@cloutagent/contract';
import type { ContentBlock } from '../model/port.ts';
import { priceOf, type Price } from '../model/price.ts';
import type { AgentSignal, Observe } from './observe.ts';

/** What an execution has done and paid so far. */
export interface Tally {
  readonly usage: Usage;
  readonly costNanoUsd: number;
  readonly modelCalls: number;
  readonly toolCalls: readonly ToolCallResult[];
}

/** Characters of output after which the tokens so far are told again. */
const USAGE_EVERY = 400;
/** Characters that make a token, by the providers' rule of thumb. */
const CHARACTERS_PER_TOKEN = 4;
/** Text of tool outputs that a result keeps: beyond, the calls are listed without it. */
const MAX_OUTPUT = 2 * 1024 * 1024;
const MAX_TOOL_CALLS = 10_000;

const NANO = 1_000_000_000;

const textOf = (blocks: readonly ContentBlock[]): string =>
  blocks.map((block) => (typeof block['text'] === 'string' ? block['text'] : `[${block.type}]`)).join('\n');

const toolCallOf = (id: string, name: string, input: unknown): ToolCall => {
  const colon = name.indexOf(':');
  const object = typeof input === 'object' && input !== null && !Array.isArray(input);
  return {
    id,
    name: name.slice(colon + 1),
    // What is not an object was never handed to a tool.
    input: object ? (input as Record<string, unknown>) : {},
    ...(colon === -1 ? {} : { server: name.slice(0, colon) }),
  };
};

/** Turns what happens in an agent into the chunks of its stream, and adds it up. */
export const openChunks = (
  price: Price,
  emit: (chunk: StreamChunk) => void | Promise<void>,
): { readonly observe: Observe; tally(): Tally } => {
  let paid: Usage = NO_USAGE;
  let costNanoUsd = 0;
  let modelCalls = 0;
  let output = 0;
  const toolCalls: ToolCallResult[] = [];
  // Of the call that is streaming now.
  let begun: Usage | undefined;
  let written = 0;
  let shown = 0;
  let told = 0;

  const tell = (): void | Promise<void> => {
    told = written;
    const live = begun === undefined ? NO_USAGE : { ...begun, outputTokens: estimated() };
    const usage = addUsage(paid, live);
    const costUsd = (costNanoUsd + (begun === undefined ? 0 : priceOf(price, live))) / NANO;
    return emit({ type: 'usage', usage, costUsd, estimated: begun !== undefined });
  };
  const estimated = (): number => Math.max(1, Math.ceil(written / CHARACTERS_PER_TOKEN));
  const close = (): number => {
    const discarded = shown;
    begun = undefined;
    written = 0;
    shown = 0;
    told = 0;
    return discarded;
  };

  const onText = async (chunk: StreamChunk, length: number): Promise<void> => {
    written += length;
    if (chunk.type === 'content') shown += length;
    await emit(chunk);
    if (written - told >= USAGE_EVERY) await tell();
  };

  const keep = (result: ToolCallResult): ToolCallResult => {
    output += result.output.length;
    const kept = output <= MAX_OUTPUT ? result : { ...result, output: '[not kept]' };
    if (toolCalls.length < MAX_TOOL_CALLS) toolCalls.push(kept);
    return result;
  };

  const observe = (signal: AgentSignal): void | Promise<void> => {
    switch (signal.type) {
      case 'call':
        close();
        modelCalls += 1;
        begun = signal.usage;
        return tell();
      case 'text':
        return onText({ type: 'content', content: signal.text }, signal.text.length);
      case 'thinking':
        return onText({ type: 'thinking', content: signal.text }, signal.text.length);
      case 'paid':
        begun = undefined;
        paid = addUsage(paid, signal.usage);
        costNanoUsd += signal.costNanoUsd;
        return tell();
      case 'lost':
        costNanoUsd += signal.costNanoUsd;
        return undefined;
      case 'retry': {
        const { attempt, delayMs, code, message } = signal;
        return emit({ type: 'retry', attempt, delayMs, code, message, discarded: close() });
      }
      case 'cut': {
        const message = 'The answer was cut and is asked again with more room';
        return emit({ type: 'retry', attempt: 1, delayMs: 0, code: 'MAX_TOKENS', message, discarded: close() });
      }
      case 'asking': {
        const { approval, title } = signal;
        return emit({ type: 'waiting', reason: 'person', position: 0, approval, title });
      }
      case 'tool_call':
        return emit({ type: 'tool_call', toolCall: toolCallOf(signal.id, signal.name, signal.input) });
      case 'tool_result': {
        const text = textOf(signal.blocks);
        const call = toolCallOf(signal.id, signal.name, signal.input);
        const { durationMs: duration, isError } = signal;
        const toolResult = { ...call, output: text, duration, success: !isError, ...(isError ? { error: text } : {}) };
        return emit({ type: 'tool_result', toolResult: keep(toolResult) });
      }
    }
  };

  return { observe, tally: () => ({ usage: paid, costNanoUsd, modelCalls, toolCalls }) };
};
