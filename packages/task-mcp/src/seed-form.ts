import { API_VERSION, type ErrorBody, type Page, type ChangeSummary } from '@cloutagent/contract';
import { encodeNdjson, encodeSse, toIso, type Clock, type SseEvent } from '@cloutagent/kit';
import type { FormatError, Reply } from '@cloutagent/http';
import type { Outcome } from './run-tool.ts';

/** Seed 002 "Response Format": `Connection` is Node's own. */
export const SSE_HEADERS = { 'Cache-Control': 'no-cache, no-transform', 'X-Accel-Buffering': 'no' };
export const NDJSON_HEADERS = { 'Cache-Control': 'no-cache' };

/** A result in the seed's blocks, which are not MCP's. */
export interface SeedResult {
  readonly content: readonly Readonly<Record<string, string>>[];
  readonly structuredContent?: Page<ChangeSummary>;
}

/** A change's own documents are shown as clients write them, `@task:…`; collections by their plain URI. */
const seedUri = (uri: string): string => (uri.startsWith('change://') ? `@task:${uri}` : uri);

export const seedResult = ({ text, links, page }: Outcome): SeedResult => {
  const blocks = links.map(({ uri, mimeType, name }) =>
    page === undefined
      ? { type: 'resource', uri: seedUri(uri), mimeType, name }
      : { type: 'resource', uri: seedUri(uri), mimeType },
  );
  const content = [{ type: 'text', text }, ...blocks];
  return page === undefined ? { content } : { content, structuredContent: page };
};

export interface SeedError {
  readonly error: ErrorBody;
  readonly requestId: string;
  readonly timestamp: string;
}

export const sseError = (failure: SeedError, startedAt: number): SseEvent => ({
  event: 'error',
  id: failure.requestId,
  data: JSON.stringify({ apiVersion: API_VERSION, ...failure, startedAt: toIso(startedAt) }),
});

export const ndjsonError = (failure: SeedError, ts: number): Readonly<Record<string, unknown>> => ({
  type: 'error',
  ts,
  ...failure,
});

/**
 * Errors before the first byte keep their HTTP status; their body is what the caller said it reads: one event, one
 * line, or the envelope.
 */
export const seedErrors =
  (clock: Clock): FormatError =>
  (status, error, { requestId, headers, receivedAt }): Reply => {
    const now = clock.now();
    const failure: SeedError = { error, requestId, timestamp: toIso(now) };
    const accept = headers.accept ?? '';
    if (accept.includes('text/event-stream')) {
      const body = encodeSse(sseError(failure, receivedAt));
      return { kind: 'text', status, contentType: 'text/event-stream', headers: SSE_HEADERS, body };
    }
    if (accept.includes('application/x-ndjson')) {
      const body = encodeNdjson(ndjsonError(failure, now));
      return { kind: 'text', status, contentType: 'application/x-ndjson', headers: NDJSON_HEADERS, body };
    }
    return { kind: 'json', status, body: { apiVersion: API_VERSION, ...failure } };
  };
