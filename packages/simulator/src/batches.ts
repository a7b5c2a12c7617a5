import type { Reply, RequestContext, Route } from '@cloutagent/http';
import { newId, toIso, type Clock } from '@cloutagent/kit';
import { checkCaller, errorReply, MARK, toRefusal, toRequestId } from './caller.ts';
import { answerMessages, type Asked, type MessagesDeps } from './messages-route.ts';
import { invalid, Refusal } from './refusal.ts';
import { isRecord } from './request.ts';
import { readList, readRecord, readString } from './validate/read.ts';

type Fields = Readonly<Record<string, unknown>>;
type Result = { readonly type: 'succeeded' | 'errored' | 'canceled'; readonly [member: string]: unknown };

interface Batch {
  readonly id: string;
  readonly createdMs: number;
  readonly requests: readonly { readonly customId: string; readonly params: Fields }[];
  readonly results: Map<string, Result>;
  cancelledMs: number | undefined;
  endedMs: number | undefined;
}

const CUSTOM_ID = /^[a-zA-Z0-9_-]{1,64}$/u;
/** The real API takes ten times as many; nobody tries that here. */
const MOST_REQUESTS = 10_000;
/** Batches are kept with their answers until they are deleted, the latest of them. */
const MOST_BATCHES = 50;
const LARGEST_BODY = 32 * 1024 * 1024;
const DAY_MS = 86_400_000;

/** Message batches: each request is answered by the scenario like any other, one after another, at half the price. */
export const batchRoutes = (deps: MessagesDeps): readonly Route[] => {
  const { clock } = deps;
  const batches = new Map<string, Batch>();
  const find = ({ params }: RequestContext): Batch => {
    const batch = batches.get(params['id'] ?? '');
    if (batch === undefined) throw new Refusal(404, `message batch: ${(params['id'] ?? '').slice(0, 100)}`);
    return batch;
  };
  const route = (
    method: Route['method'],
    path: string,
    answer: (context: RequestContext) => Promise<Reply> | Reply,
  ): Route => ({
    method,
    path: `/v1/messages/batches${path}`,
    scope: 'open',
    maxBodyBytes: LARGEST_BODY,
    maxJsonKeys: 1_000_000,
    handler: (context) =>
      refusing(clock, async () => {
        checkCaller(context, deps.profile);
        return answer(context);
      }),
  });
  return [
    route('POST', '', async (context) => {
      const batch = open(await context.readJson(), clock);
      batches.set(batch.id, batch);
      const [oldest] = batches.keys();
      if (batches.size > MOST_BATCHES && oldest !== undefined) batches.delete(oldest);
      void work(batch, context, deps);
      return json(toBatch(batch, context));
    }),
    route('GET', '', (context) => {
      const data = [...batches.values()].toReversed().map((batch) => toBatch(batch, context));
      return json({ data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null });
    }),
    route('GET', '/:id', (context) => json(toBatch(find(context), context))),
    route('GET', '/:id/results', (context) => {
      const batch = find(context);
      if (batch.endedMs === undefined) throw new Refusal(404, `${batch.id} has no results yet`);
      const lines = [...batch.results].map(([customId, result]) => JSON.stringify({ custom_id: customId, result }));
      return { kind: 'text', contentType: 'application/x-jsonl', headers: MARK, body: `${lines.join('\n')}\n` };
    }),
    route('POST', '/:id/cancel', (context) => {
      const batch = find(context);
      if (batch.endedMs === undefined) batch.cancelledMs ??= clock.now();
      return json(toBatch(batch, context));
    }),
    route('DELETE', '/:id', (context) => {
      const batch = find(context);
      if (batch.endedMs === undefined) throw invalid(`${batch.id} is still in progress; cancel it first`);
      batches.delete(batch.id);
      return json({ id: batch.id, type: 'message_batch_deleted' });
    }),
  ];
};

const json = (body: unknown): Reply => ({ kind: 'json', headers: MARK, body });

const refusing = async (clock: Clock, answer: () => Promise<Reply>): Promise<Reply> => {
  try {
    return await answer();
  } catch (error) {
    const refusal = toRefusal(error);
    if (refusal === undefined) throw error;
    return errorReply(refusal, toRequestId(newId('req', clock)));
  }
};

const open = (body: unknown, clock: Clock): Batch => {
  const list = readList(readRecord(body, 'body')['requests'], 'requests');
  if (list.length === 0 || list.length > MOST_REQUESTS)
    throw invalid(`requests: List should have 1 to ${MOST_REQUESTS} items`);
  const requests = list.map((item, index) => {
    const fields = readRecord(item, `requests.${index}`);
    const customId = readString(fields['custom_id'], `requests.${index}.custom_id`);
    if (!CUSTOM_ID.test(customId))
      throw invalid(`requests.${index}.custom_id: String should match pattern '${CUSTOM_ID.source}'`);
    const params = readRecord(fields['params'], `requests.${index}.params`);
    if (params['stream'] === true) throw invalid(`requests.${index}.params.stream: a batch does not stream`);
    return { customId, params };
  });
  if (new Set(requests.map(({ customId }) => customId)).size < requests.length)
    throw invalid('requests: custom_id must be unique in a batch');
  const id = newId('req', clock).replace(/^req_/u, 'msgbatch_sim_');
  const results = new Map<string, Result>();
  return { id, createdMs: clock.now(), requests, results, cancelledMs: undefined, endedMs: undefined };
};

/** Goes on after the answer to whoever made the batch, so it asks with a signal of its own. */
const work = async (batch: Batch, { method, url, headers }: RequestContext, deps: MessagesDeps): Promise<void> => {
  const { signal } = new AbortController();
  for (const { customId, params } of batch.requests) {
    if (batch.cancelledMs !== undefined) {
      batch.results.set(customId, { type: 'canceled' });
      continue;
    }
    const own: Asked = { method, url, headers, signal, readJson: () => Promise.resolve(params) };
    batch.results.set(customId, await toResult(() => answerMessages(own, deps)));
  }
  batch.endedMs = deps.clock.now();
};

const toResult = async (ask: () => Promise<Reply>): Promise<Result> => {
  const failed = { type: 'api_error', message: 'The request was lost (simulated)' };
  try {
    const reply = await ask();
    if (reply.kind !== 'json' || !isRecord(reply.body))
      return { type: 'errored', error: { type: 'error', error: failed } };
    if ((reply.status ?? 200) !== 200) return { type: 'errored', error: reply.body };
    const usage = isRecord(reply.body['usage']) ? reply.body['usage'] : {};
    return { type: 'succeeded', message: { ...reply.body, usage: { ...usage, service_tier: 'batch' } } };
  } catch {
    return { type: 'errored', error: { type: 'error', error: failed } };
  }
};

const toBatch = (batch: Batch, { url }: RequestContext) => {
  const count = (type: Result['type']): number => [...batch.results.values()].filter((one) => one.type === type).length;
  const ended = batch.endedMs !== undefined;
  return {
    id: batch.id,
    type: 'message_batch',
    processing_status: ended ? 'ended' : batch.cancelledMs === undefined ? 'in_progress' : 'canceling',
    request_counts: {
      processing: batch.requests.length - batch.results.size,
      succeeded: count('succeeded'),
      errored: count('errored'),
      canceled: count('canceled'),
      expired: 0,
    },
    created_at: toIso(batch.createdMs),
    expires_at: toIso(batch.createdMs + DAY_MS),
    ended_at: batch.endedMs === undefined ? null : toIso(batch.endedMs),
    cancel_initiated_at: batch.cancelledMs === undefined ? null : toIso(batch.cancelledMs),
    archived_at: null,
    results_url: ended ? `${url.origin}/v1/messages/batches/${batch.id}/results` : null,
  };
};
