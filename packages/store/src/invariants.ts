import { read, type Guarded } from './ask.ts';
import { UNFINISHED } from './rows.ts';
import type { Writer } from './writer.ts';

/** Each statement finds what must not be, as rows with one column `problem`. */
const CHECKS: readonly string[] = [
  `SELECT problem FROM (
     SELECT 'budget ' || b.scope || ' ' || b.id || CASE b.slot WHEN '' THEN '' ELSE ' in ' || b.slot END || ': spent '
         || b.spent_nano || ' is not the settled ' || t.settled || ', or held ' || b.held_nano || ' is not the open ' || t.open AS problem
     FROM budget b JOIN (
       SELECT b2.scope, b2.id, b2.slot, coalesce(sum(s.amount_nano), 0) AS settled,
         coalesce(sum(CASE WHEN s.reservation_id IS NULL THEN r.amount_nano ELSE 0 END), 0) AS open
       FROM budget b2
       LEFT JOIN run_level l ON l.scope = b2.scope AND l.budget_id = b2.id
       LEFT JOIN reservation r ON r.run_id = l.run_id AND l.place IN ('', r.node) AND b2.slot IN ('', r.day, r.week, r.month)
       LEFT JOIN settlement s ON s.reservation_id = r.id
       GROUP BY b2.scope, b2.id, b2.slot
     ) t ON t.scope = b.scope AND t.id = b.id AND t.slot = b.slot
     WHERE b.spent_nano <> t.settled OR b.held_nano <> t.open)`,
  `SELECT 'run ' || l.run_id || ' has a level without a budget: ' || l.scope || ' ' || l.budget_id AS problem
   FROM run_level l WHERE NOT EXISTS (SELECT 1 FROM budget b WHERE b.scope = l.scope AND b.id = l.budget_id AND b.slot = '')`,
  `SELECT 'settlement ' || s.reservation_id || ' cost more than its bound, and no alert says so' AS problem
   FROM settlement s JOIN reservation r ON r.id = s.reservation_id WHERE s.amount_nano > r.amount_nano
     AND NOT EXISTS (SELECT 1 FROM cost_alert a WHERE a.name = 'bound ' || s.reservation_id)`,
  `SELECT 'run ' || run_id || ': events ' || min(seq) || ' to ' || max(seq) || ' are ' || count(*) AS problem
   FROM event GROUP BY run_id HAVING min(seq) <> 1 OR max(seq) <> count(*)`,
  `SELECT 'run ' || run_id || ': steps ' || min(place) || ' to ' || max(place) || ' are ' || count(*) AS problem
   FROM step GROUP BY run_id HAVING min(place) <> 1 OR max(place) <> count(*)`,
  `SELECT 'reservation ' || r.id || ' is open, but its run is ' || run.status AS problem
   FROM reservation r JOIN run ON run.id = r.run_id
   WHERE run.status NOT IN ('running', 'cancelling') AND NOT EXISTS (SELECT 1 FROM settlement WHERE reservation_id = r.id)`,
  `SELECT 'settlement ' || s.reservation_id || ' is unknown and dearer than its reservation, or of another run' AS problem
   FROM settlement s JOIN reservation r ON r.id = s.reservation_id
   WHERE (s.outcome = 'unknown' AND s.amount_nano > r.amount_nano) OR s.run_id <> r.run_id`,
  `SELECT 'run ' || id || ' is ' || status || ' and its time of finishing says otherwise' AS problem
   FROM run WHERE (finished_at IS NULL) <> (${UNFINISHED})`,
  `SELECT 'run ' || run_id || ' waits, but it is ' || status AS problem FROM wait JOIN run ON run.id = run_id WHERE status <> 'waiting'`,
  `SELECT 'run ' || id || ' is waiting for nothing' AS problem FROM run
   WHERE status = 'waiting' AND NOT EXISTS (SELECT 1 FROM wait WHERE run_id = run.id)`,
  `SELECT 'approval ' || approval.id || ' is pending, but its run is ' || run.status AS problem
   FROM approval JOIN run ON run.id = run_id WHERE approval.status = 'pending' AND NOT run.${UNFINISHED}`,
  ...[
    'run_level',
    'step',
    'intent',
    'event',
    'reservation',
    'reservation_proof',
    'settlement',
    'signal',
    'wait',
    'approval',
  ].map(
    (table) => `SELECT '${table} of run ' || t.run_id || ' has no run, or another project' AS problem
     FROM ${table} t LEFT JOIN run ON run.id = t.run_id WHERE run.id IS NULL OR run.project_id <> t.project_id`,
  ),
  `SELECT 'row of ' || "table" || ' points to no ' || parent AS problem FROM pragma_foreign_key_check`,
  `SELECT 'database file: ' || integrity_check AS problem FROM pragma_integrity_check WHERE integrity_check <> 'ok'`,
];

/** More would not help a reader. */
const MAX_PROBLEMS = 20;

/** What is wrong with the stored data, a sentence each; empty where all holds. Reads everything. */
export const checkInvariants = async (writer: Writer): Promise<readonly string[]> => {
  const answers = await read(
    writer,
    CHECKS.map((sql): Guarded => ({ sql: `${sql} LIMIT ${MAX_PROBLEMS}`, params: [] })),
  );
  return answers.flatMap((answer) => answer.rows.map((row) => String(row['problem'])));
};
