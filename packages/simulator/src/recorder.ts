import type { RequestContext } from '@cloutagent/http';
import type { LogEntry } from './request-log.ts';

/** One request as it came, and what became of it. */
export interface RecordedRequest extends Omit<LogEntry, 'promptHash'> {
  readonly method: string;
  readonly query: string;
  /** Keys are hidden: people paste what they read here. */
  readonly headers: Readonly<Record<string, string>>;
  /** As it was sent; undefined for a body that is no JSON. */
  readonly body?: unknown;
}

export interface RequestFilter {
  readonly path?: string;
  readonly model?: string;
  readonly status?: number;
  /** Only what came after this number. */
  readonly after?: number;
  readonly limit?: number;
}

/** The latest requests, in memory: for tests that want to see what was sent. */
export interface Recorder {
  add(
    context: Pick<RequestContext, 'method' | 'url' | 'headers'>,
    entry: Omit<LogEntry, 'seq' | 'promptHash'>,
    body: unknown,
  ): void;
  list(filter: RequestFilter): readonly RecordedRequest[];
  clear(): void;
}

/** Bodies of this many bytes together are kept, the latest first: a long conversation is sent again with every turn. */
const MOST_BYTES = 16 * 1024 * 1024;

const SECRET = new Set(['x-api-key', 'authorization', 'cookie', 'proxy-authorization']);

/** Keeps at most `limit` requests; none at all for 0. */
export const createRecorder = (limit: number): Recorder => {
  let kept: { readonly request: Omit<RecordedRequest, 'headers'>; readonly headers: Sent; readonly bytes: number }[] =
    [];
  let bytes = 0;
  let seq = 0;

  const trim = (): void => {
    // In one piece now and then: taking the first of many away with each request would cost more than the request.
    if (kept.length < limit * 2 && bytes <= MOST_BYTES * 2) return;
    kept = kept.slice(-limit);
    bytes = kept.reduce((sum, one) => sum + one.bytes, 0);
    while (bytes > MOST_BYTES) bytes -= kept.shift()?.bytes ?? bytes;
  };

  return {
    add({ headers, method, url }, entry, body) {
      if (limit === 0) return;
      seq += 1;
      const size = Number(headers['content-length'] ?? 0);
      bytes += size;
      kept.push({ request: { seq, ...entry, method, query: url.search, body }, headers, bytes: size });
      trim();
    },
    list({ path, model, status, after = 0, limit: most = limit }) {
      return kept
        .slice(-limit)
        .filter(
          ({ request }) =>
            request.seq > after &&
            (path === undefined || request.path === path) &&
            (model === undefined || request.model === model) &&
            (status === undefined || request.status === status),
        )
        .slice(-most)
        .map(({ request, headers }) => ({ ...request, headers: shown(headers) }));
    },
    clear() {
      kept = [];
      bytes = 0;
    },
  };
};

type Sent = RequestContext['headers'];

const shown = (headers: Sent): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, SECRET.has(name) ? '(hidden)' : [value].flat().join(', ')]),
  );
