import { toMoney, type RunEventBody } from '@cloutagent/contract';
import type { Guarded } from './ask.ts';
import { toJson } from './rows.ts';

/** An event with the next number of its run. The unit that it stands in has written the run's row before, so that the number has no rival. */
export const appendEvent = (runId: string, body: RunEventBody, now: number): Guarded => ({
  sql: `INSERT INTO event (run_id, seq, project_id, at, type, body)
        SELECT id, (SELECT coalesce(max(seq), 0) + 1 FROM event WHERE run_id = run.id), project_id, ?, ?, ? FROM run WHERE id = ?`,
  params: [now, body.type, toJson(body), runId],
  forgets: { runId },
});

export const moneyEvent = (limit: number | null, spent: number, held: number): RunEventBody => ({
  type: 'money',
  limit: limit === null ? null : toMoney(limit),
  spent: toMoney(spent),
  held: toMoney(held),
});
