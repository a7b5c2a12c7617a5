import { RunDetail, type LedgerRow } from '@cloutagent/contract';
import * as z from 'zod';
import { cloutJson } from './program.ts';
import type { TempProject } from './project.ts';
import { readRequestLog, type LoggedRequest } from './request-log.ts';

/** claude-sonnet-5-5 in nano-dollars per token, written by hand from the published price list and not from our table. */
const PRICE = { input: 2000, output: 10_000, cacheRead: 100, cacheWrite5m: 2500, cacheWrite1h: 4000 };

const ApiUsage = z.object({
  input_tokens: z.int(),
  output_tokens: z.int(),
  cache_read_input_tokens: z.int(),
  cache_creation: z.object({ ephemeral_5m_input_tokens: z.int(), ephemeral_1h_input_tokens: z.int() }),
});

/** What the model server would bill for a request, in nano-dollars. */
const billOf = (request: LoggedRequest): number => {
  if (request.usage === null) return 0;
  const usage = ApiUsage.parse(request.usage);
  return (
    usage.input_tokens * PRICE.input +
    usage.output_tokens * PRICE.output +
    usage.cache_read_input_tokens * PRICE.cacheRead +
    usage.cache_creation.ephemeral_5m_input_tokens * PRICE.cacheWrite5m +
    usage.cache_creation.ephemeral_1h_input_tokens * PRICE.cacheWrite1h
  );
};

export interface Audit {
  readonly detail: RunDetail;
  readonly requests: readonly LoggedRequest[];
  /** Model calls whose row is committed and that were asked for again afterwards; none is right. */
  readonly repeated: readonly string[];
  /** Requests beyond one for each committed call. */
  readonly surplus: number;
  /** Sentences about rows that do not fit the log; none is right. */
  readonly wrongRows: readonly string[];
}

const check = (row: LedgerRow, runId: string, requests: readonly LoggedRequest[]): readonly string[] => {
  const sent = requests.filter(({ idempotencyKey }) => idempotencyKey === `${runId}:${row.stepKey}#${row.attempt}`);
  const bill = sent.reduce((sum, request) => sum + billOf(request), 0);
  const amount = row.amount.nanoUsd;
  const say = (what: string): readonly string[] => [`${row.stepKey}#${row.attempt} ${row.outcome}: ${what}`];
  if (sent.length > 1) return say(`sent ${sent.length} times under one reservation`);
  if (row.outcome === 'held') return say('is still held');
  if (row.outcome === 'known' && (sent.length === 0 || amount !== bill)) return say(`booked ${amount}, billed ${bill}`);
  if (row.outcome === 'released' && (bill > 0 || amount > 0)) return say(`booked ${amount}, billed ${bill}`);
  if (row.outcome === 'unknown' && !(bill <= amount && amount <= row.reserved.nanoUsd)) {
    return say(`bill ${bill} ≤ booked ${amount} ≤ reserved ${row.reserved.nanoUsd} does not hold`);
  }
  return [];
};

/** Holds a run's ledger against what the simulator was really asked. */
export const audit = async (project: TempProject, run = 'last'): Promise<Audit> =>
  auditDetail(RunDetail.parse(await cloutJson(['runs', 'show', run], project)), readRequestLog(project));

/** @param all requests of any run */
export const auditDetail = (detail: RunDetail, all: readonly LoggedRequest[]): Audit => {
  const { id } = detail.run;
  const requests = all.filter(({ idempotencyKey }) => idempotencyKey?.startsWith(`${id}:`));
  const calls = detail.steps.filter(({ kind }) => kind === 'model');
  const unasked = requests.filter(
    ({ idempotencyKey }) => !detail.ledger.some((row) => idempotencyKey === `${id}:${row.stepKey}#${row.attempt}`),
  );
  const spent = detail.ledger.reduce((sum, row) => sum + row.amount.nanoUsd, 0);
  return {
    detail,
    requests,
    repeated: calls
      .filter(({ key }) => {
        const known = detail.ledger.filter((row) => row.stepKey === key && row.outcome === 'known');
        const last = Math.max(...detail.ledger.filter((row) => row.stepKey === key).map(({ attempt }) => attempt));
        return known.length !== 1 || known[0]?.attempt !== last;
      })
      .map(({ key }) => key),
    surplus: requests.length - calls.length,
    wrongRows: [
      ...detail.ledger.flatMap((row) => check(row, id, requests)),
      ...unasked.map(({ idempotencyKey }) => `${idempotencyKey} was asked without a reservation`),
      ...(spent === detail.run.money.spent.nanoUsd
        ? []
        : [`rows add up to ${spent}, the run says ${detail.run.money.spent.nanoUsd}`]),
      ...(detail.run.money.held.nanoUsd === 0 ? [] : ['money is still held']),
    ],
  };
};
