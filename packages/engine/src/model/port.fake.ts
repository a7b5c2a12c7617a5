import type { Usage } from '@cloutagent/contract';
import { ModelCallError, type ContentBlock, type ModelEvent, type ModelPort, type ModelRequest } from './port.ts';
import { jsonBytes } from './size.ts';

export interface ScriptedAnswer {
  readonly content: readonly ContentBlock[];
  readonly stopReason: string;
  /** Counted from the request where absent: a token for four bytes. */
  readonly usage?: Usage;
}

/** What the model does for the nth request (from 0): answer, throw, or hang until it is aborted. */
export type Script = (request: ModelRequest, nth: number) => ScriptedAnswer | 'hang';

export interface FakeCall {
  readonly request: ModelRequest;
  readonly idempotencyKey: string;
  readonly usage: Usage | null;
}

export interface FakeModel extends ModelPort {
  /** Every request that was sent, in order. */
  readonly calls: readonly FakeCall[];
}

const BYTES_PER_TOKEN = 4;

const countUsage = (request: ModelRequest, content: readonly ContentBlock[]): Usage => ({
  inputTokens: Math.ceil(jsonBytes([request.system, request.tools, request.messages]) / BYTES_PER_TOKEN),
  outputTokens: Math.ceil(jsonBytes(content) / BYTES_PER_TOKEN),
  cacheReadTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
});

export const openFakeModel = (script: Script): FakeModel => {
  const calls: FakeCall[] = [];
  return {
    source: 'fake',
    // It counts all of a prompt as input.
    caches: false,
    calls,
    async *stream(request, { signal, idempotencyKey }): AsyncGenerator<ModelEvent> {
      const nth = calls.length;
      calls.push({ request: structuredClone(request), idempotencyKey, usage: null });
      const answer = script(request, nth);
      if (answer === 'hang') {
        // A signal that was aborted before says nothing any more.
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        throw new ModelCallError('MODEL_UNAVAILABLE', 'aborted', { billing: 'unknown', retryable: true });
      }
      const { content, stopReason, usage = countUsage(request, content) } = answer;
      calls[nth] = { request: structuredClone(request), idempotencyKey, usage };
      const requestId = `req_${nth}`;
      yield { type: 'start', usage: { ...usage, outputTokens: 1 }, requestId };
      for (const block of content) if (typeof block['text'] === 'string') yield { type: 'text', text: block['text'] };
      yield { type: 'end', answer: { content, stopReason, usage, requestId } };
    },
  };
};

export const say = (text: string): ScriptedAnswer => ({ content: [{ type: 'text', text }], stopReason: 'end_turn' });

export const use = (id: string, name: string, input: unknown): ScriptedAnswer => ({
  content: [{ type: 'tool_use', id, name, input }],
  stopReason: 'tool_use',
});
