import { CloutError, type RunWait, type Signal } from '@cloutagent/contract';
import { read, write, type Guarded } from './ask.ts';
import { runFinished, runNotFound } from './claim.ts';
import type { Row } from './libsql.ts';
import { intOrNull, json, text, textOrNull, toJson, UNFINISHED } from './rows.ts';
import type { RunRef } from './unit.ts';
import type { Writer } from './writer.ts';

const signalled = (runId: string, topic: string): CloutError =>
  new CloutError('SIGNALLED', `Run ${runId} has the signal ${topic} already`, { details: { topic } });

/** The run must not have this signal, or the unit is refused: who then waits would wait for ever. */
export const unlessSignalled = (runId: string, topic: string): Guarded => ({
  sql: 'SELECT topic FROM signal WHERE run_id = ? AND topic = ?',
  params: [runId, topic],
  expectChanges: 0,
  refuse: () => signalled(runId, topic),
});

export const waitStatements = ({ runId, projectId }: RunRef, wait: RunWait): readonly Guarded[] => [
  ...(wait.topic === null ? [] : [unlessSignalled(runId, wait.topic)]),
  {
    sql: 'INSERT INTO wait (run_id, key, project_id, topic, until_at) VALUES (?, ?, ?, ?, ?)',
    params: [runId, wait.key, projectId, wait.topic, wait.until],
  },
];

/** Nobody can answer a run that is over. */
export const closeStatements = (runId: string, now: number): readonly Guarded[] => [
  { sql: 'DELETE FROM wait WHERE run_id = ?', params: [runId] },
  {
    sql: `UPDATE approval SET status = 'cancelled', decided_at = ? WHERE run_id = ? AND status = 'pending'`,
    params: [now, runId],
  },
];

/** Refuses what comes for a run that is over, and holds the run's row for the rest of the unit. */
export const touchRun = (runId: string, now: number): Guarded => ({
  sql: `UPDATE run SET updated_at = ? WHERE id = ? AND ${UNFINISHED}`,
  params: [now, runId],
  expectChanges: 1,
  explain: { sql: 'SELECT status FROM run WHERE id = ?', params: [runId] },
  refuse: ([row]) => (row === undefined ? runNotFound(runId) : runFinished(runId, text(row, 'status'))),
});

export const insertSignal = (signal: Signal, now: number): Guarded => ({
  sql: `INSERT INTO signal (run_id, topic, project_id, id, body, created_at)
        SELECT id, ?, project_id, ?, ?, ? FROM run WHERE id = ? ON CONFLICT (run_id, topic) DO NOTHING`,
  params: [signal.topic, signal.id, toJson(signal.body), now, signal.runId],
});

/** Stored before or after somebody waits; of one topic the first stays. Says whether this is the one that is stored. */
export const storeSignal = async (writer: Writer, signal: Signal, now: number): Promise<boolean> => {
  const { runId, topic } = signal;
  const answers = await write(writer, [
    touchRun(runId, now),
    insertSignal(signal, now),
    { sql: 'SELECT id FROM signal WHERE run_id = ? AND topic = ?', params: [runId, topic] },
  ]);
  const row = answers.at(-1)?.rows[0];
  return row !== undefined && text(row, 'id') === signal.id;
};

/** All that a run was signalled, oldest first. */
export const readSignals = async (writer: Writer, runId: string): Promise<readonly Signal[]> => {
  const answers = await read(writer, [
    { sql: 'SELECT topic, id, body FROM signal WHERE run_id = ? ORDER BY created_at, topic', params: [runId] },
  ]);
  return (answers[0]?.rows ?? []).map((row) => ({
    runId,
    topic: text(row, 'topic'),
    id: text(row, 'id'),
    body: json(row, 'body'),
  }));
};

export const toWait = (row: Row): RunWait => ({
  key: text(row, 'key'),
  topic: textOrNull(row, 'topic'),
  until: intOrNull(row, 'until_at'),
});

/** What the owner of the runs needs to know to wake them: which can go on now, and when the next one can. */
export interface Due {
  /** Waiting runs whose time has come or whose signal is there. */
  readonly ready: readonly string[];
  /** Milliseconds since 1970; null where nothing waits for a time. */
  readonly next: number | null;
}

export const readDue = async (writer: Writer, now: number): Promise<Due> => {
  const answers = await read(writer, [
    {
      sql: `SELECT run_id FROM wait WHERE until_at <= ?
            UNION SELECT wait.run_id FROM wait JOIN signal ON signal.run_id = wait.run_id AND signal.topic = wait.topic`,
      params: [now],
    },
    { sql: 'SELECT min(until_at) AS next FROM wait WHERE until_at > ?', params: [now] },
  ]);
  const [next] = answers[1]?.rows ?? [];
  return {
    ready: (answers[0]?.rows ?? []).map((row) => text(row, 'run_id')),
    next: next === undefined ? null : intOrNull(next, 'next'),
  };
};

/** Promises that the run ends as cancelled. Gives its status before. Throws RUN_NOT_FOUND, RUN_NOT_RESUMABLE. */
export const requestCancel = async (writer: Writer, runId: string, now: number): Promise<void> => {
  await write(writer, [
    touchRun(runId, now),
    { sql: `UPDATE run SET status = 'cancelling' WHERE id = ?`, params: [runId] },
    { sql: 'DELETE FROM wait WHERE run_id = ?', params: [runId] },
  ]);
};

/** A paused run that was told to go on is one that is driven, also after a crash. */
export const markRunning = async (writer: Writer, runId: string, now: number): Promise<void> => {
  await write(writer, [
    touchRun(runId, now),
    { sql: `UPDATE run SET status = 'running', reason = NULL WHERE id = ? AND status = 'paused'`, params: [runId] },
  ]);
};
