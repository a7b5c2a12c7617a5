import { toJson } from './rows.js';
/** An event with the next number of its run. The unit that it stands in has written the run's row before, so that the number has no rival. */
export const insertEvent = (runId, body, now) => ({
  sql: `INSERT INTO event (run_id, seq, project_id, at, type, body)
        SELECT id, (SELECT coalesce(max(seq), 0) + 1 FROM event WHERE run_id = run.id), project_id, ?, ?, ? FROM run WHERE id = ?
        RETURNING seq`,
  params: [now, body.type, toJson(body), runId],
});
//# sourceMappingURL=event.js.map
