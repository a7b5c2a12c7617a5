import type { RunEventBody } from '@cloutagent/contract';
import type { Guarded } from './ask.ts';
import { toJson } from './rows.ts';

/** An event with the next number of its run. The unit that it stands in has written the run's row before, so that the number has no rival. */
export const insertEvent = (runId: string, body: RunEventBody, now: number): Guarded => ({
  sql: `INSERT INTO event (run_id, seq, project_id, at, type, body)
        SELECT id, (SELECT coalesce(max(seq), 0) + 1 FROM event WHERE run_id = run.id), project_id, ?, ?, ? FROM run WHERE id = ?
        RETURNING seq`,
  params: [now, body.type, toJson(body), runId],
});

/** Nano-dollars as the JSON of `Money`, in SQL. */
const moneySql = (column: string): string =>
  `'{"usd":"' || (${column} / 1000000000) || '.' || substr(CAST(1000000000 + ${column} % 1000000000 AS TEXT), 2)
    || '","nanoUsd":' || ${column} || '}'`;

/** Made of the row itself, after all that the unit did: other calls of the run may have moved it since anybody looked. */
export const insertMoneyEvent = (runId: string, now: number): Guarded => ({
  sql: `INSERT INTO event (run_id, seq, project_id, at, type, body)
        SELECT run.id, (SELECT coalesce(max(seq), 0) + 1 FROM event WHERE run_id = run.id), run.project_id, ?, 'money',
          '{"type":"money","limit":' || CASE WHEN limit_nano IS NULL THEN 'null' ELSE ${moneySql('limit_nano')} END
          || ',"spent":' || ${moneySql('spent_nano')} || ',"held":' || ${moneySql('held_nano')} || '}'
        FROM run JOIN budget ON scope = 'run' AND budget.id = run.id AND slot = '' WHERE run.id = ? RETURNING seq, body`,
  params: [now, runId],
});
