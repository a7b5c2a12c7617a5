import { API_VERSION, CloutError } from '@cloutagent/contract';
import type { Reply } from '@cloutagent/http';
import type { Clock } from '@cloutagent/kit';
import { ndjsonError, NDJSON_HEADERS, type SeedError } from './seed-form.ts';

/** Calls of one batch; each may write files. */
const MAX_CALLS = 100;

/** What a call of a batch brought. */
export type BatchAnswer = { readonly done: Readonly<Record<string, unknown>> } | { readonly failure: SeedError };

export interface BatchItem {
  readonly index: number;
  /** The caller's own mark, shown in every line of this call. */
  readonly id?: string | number;
  readonly call: object;
}

/** @throws VALIDATION_ERROR for what is no batch of calls */
export const batchOf = (body: readonly unknown[]): readonly BatchItem[] => {
  const invalid = (issue: string): CloutError =>
    new CloutError('VALIDATION_ERROR', 'Invalid request format', { details: { field: 'body', issue } });
  if (body.length === 0 || body.length > MAX_CALLS) throw invalid(`must be 1 to ${MAX_CALLS} calls`);
  return body.map((call, index) => {
    if (call === null || typeof call !== 'object' || Array.isArray(call)) throw invalid(`item ${index} is no object`);
    const id: unknown = 'id' in call ? call.id : undefined;
    return { index, call, ...(typeof id === 'string' || typeof id === 'number' ? { id } : {}) };
  });
};

/**
 * One stream for all calls of a batch, one after the other, since a later one may need what an earlier one made. Every
 * line says by `index` and `id` which call it belongs to; a call that fails does not stop the others.
 */
export const batchReply = (
  items: readonly BatchItem[],
  clock: Clock,
  answer: (call: object) => Promise<BatchAnswer>,
): Reply => ({
  kind: 'stream',
  contentType: 'application/x-ndjson',
  headers: NDJSON_HEADERS,
  onDrain: 'finish',
  run: async (writer) => {
    for (const { call, ...mark } of items) {
      if (writer.signal.aborted) return;
      const tool = 'tool' in call && typeof call.tool === 'string' ? { tool: call.tool.slice(0, 200) } : {};
      await writer.ndjson({ type: 'start', ts: clock.now(), ...mark, ...tool, apiVersion: API_VERSION });
      const brought = await answer(call);
      if ('done' in brought) await writer.ndjson({ type: 'result', ts: clock.now(), ...mark, ...brought.done });
      else await writer.ndjson({ ...ndjsonError(brought.failure, clock.now()), ...mark });
    }
    await writer.ndjson({ type: 'end', ts: clock.now(), count: items.length });
  },
});
