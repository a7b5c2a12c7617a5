import { toMoney, type RunEventBody } from '@cloutagent/contract';
import type { Guarded } from './ask.ts';
import type { SqlValue } from './libsql.ts';
import { toJson } from './rows.ts';

const COLUMNS = 'run_id, seq, project_id, at, type, body';

/** Of one row, or of several in one statement. */
export const insertEvents = (rows: readonly (readonly SqlValue[])[]): Guarded => ({
  sql: `INSERT INTO event (${COLUMNS}) VALUES ${rows.map(() => '(?, ?, ?, ?, ?, ?)').join(', ')}`,
  params: rows.flat(),
});

/** An event with the next number of its run. The unit that it stands in has written the run's row before, so that the number has no rival. */
export const insertEvent = (runId: string, body: RunEventBody, now: number): Guarded => ({
  sql: `INSERT INTO event (${COLUMNS})
        SELECT id, (SELECT coalesce(max(seq), 0) + 1 FROM event WHERE run_id = run.id), project_id, ?, ?, ? FROM run WHERE id = ?`,
  params: [now, body.type, toJson(body), runId],
  forgets: true,
});

export const moneyEvent = (limit: number | null, spent: number, held: number): RunEventBody => ({
  type: 'money',
  limit: limit === null ? null : toMoney(limit),
  spent: toMoney(spent),
  held: toMoney(held),
});
