import { createHash } from 'node:crypto';
import type { RequestContext } from '@cloutagent/http';
import { canonicalJson, toIso, type Clock } from '@cloutagent/kit';
import type { Recorder } from './recorder.ts';
import { isRecord } from './request.ts';
import type { LogEntry, RequestLog } from './request-log.ts';

/** What is only known once an answer is chosen. */
export type Outcome = Pick<LogEntry, 'status'> &
  Partial<Pick<LogEntry, 'usage' | 'stopReason' | 'rule' | 'fault' | 'error'>>;

export interface Journal {
  readonly clock: Clock;
  readonly requestLog: RequestLog | undefined;
  readonly recorder: Recorder;
}

/** Keeps a request and its outcome; resolves when its line is on the disk, at once where there is no log. */
export const logRequest = async (
  { clock, requestLog, recorder }: Journal,
  context: Pick<RequestContext, 'method' | 'url' | 'headers'>,
  request: { readonly id: string; readonly body: unknown },
  outcome: Outcome,
): Promise<void> => {
  const key = context.headers['idempotency-key'];
  const body = isRecord(request.body) ? request.body : undefined;
  const entry = {
    at: toIso(clock.now()),
    path: context.url.pathname.slice(0, MOST_CHARACTERS),
    requestId: request.id,
    idempotencyKey: typeof key === 'string' ? clip(key) : null,
    model: typeof body?.['model'] === 'string' ? clip(body['model']) : null,
    stream: body?.['stream'] === true,
    status: outcome.status,
    usage: outcome.usage ?? null,
    stopReason: outcome.stopReason ?? null,
    rule: outcome.rule ?? null,
    fault: outcome.fault ?? null,
    error:
      outcome.error === undefined || outcome.error === null
        ? null
        : { type: clip(outcome.error.type), message: clip(outcome.error.message) },
  };
  recorder.add(context, entry, request.body);
  await requestLog?.append({ ...entry, promptHash: body === undefined ? null : promptHashOf(body) });
};

/** Keeps a line far below the piece of the file that a restart reads back. */
const MOST_CHARACTERS = 500;
const clip = (text: string): string => text.slice(0, MOST_CHARACTERS);

const promptHashOf = ({ model, system, tools, messages }: Readonly<Record<string, unknown>>): string =>
  createHash('sha256').update(canonicalJson({ model, system, tools, messages })).digest('hex');
