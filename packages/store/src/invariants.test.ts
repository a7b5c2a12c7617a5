import path from 'node:path';
import { systemClock } from '@cloutagent/kit';
import { describe, expect, it } from 'vitest';
import { begin, end, reserve, settle, stepRow, tempFolder } from './testing/support.ts';
import { openSqlite } from './libsql.ts';
import { openStore } from './store.ts';

/** A store with two runs, one of them finished, whose file is then changed behind its back. */
const problemsAfter = async (...tampering: readonly string[]): Promise<readonly string[]> => {
  await using folder = await tempFolder();
  const store = await openStore({ dir: folder.dir, clock: systemClock });
  for (const id of ['run_1', 'run_2']) {
    const claim = await begin(store, id, { limit: 1000 });
    const events = [1, 2, 3].map((n) => ({ type: 'task.started', taskId: String(n), title: '' }) as const);
    await store.commit(claim, { money: [reserve(id, `${id} a`, 10), reserve(id, `${id} b`, 20)], events });
    await store.commit(claim, { money: [settle(`${id} a`, 4)], steps: [stepRow('a'), stepRow('b'), stepRow('c')] });
    if (id === 'run_1') await end(store, claim, 'completed');
  }
  await store.close();
  const connection = openSqlite(path.join(folder.dir, 'store.db'), { busyTimeoutMs: 0 });
  connection.exec('PRAGMA foreign_keys=OFF');
  for (const sql of tampering) connection.exec(sql);
  connection.close();
  const again = await openStore({ dir: folder.dir, clock: systemClock });
  const problems = await again.checkInvariants();
  await again.close();
  return problems;
};

describe('the check of the stored data', () => {
  it('finds nothing wrong in what the store wrote', async () => {
    expect(await problemsAfter()).toEqual([]);
  });

  it.each([
    [
      'money that was spent and not booked',
      `UPDATE budget SET spent_nano = spent_nano - 1 WHERE scope = 'project'`,
      /budget project prj: spent/u,
    ],
    [
      'money that is held for nothing',
      `UPDATE budget SET held_nano = held_nano + 1 WHERE id = 'run_2'`,
      /budget run run_2: .* held/u,
    ],
    ['a settlement that is gone', `DELETE FROM settlement WHERE reservation_id = 'run_2 a'`, /budget run run_2/u],
    ['a gap in the events', `DELETE FROM event WHERE run_id = 'run_2' AND seq = 2`, /run run_2: events 1 to 4 are 3/u],
    [
      'events that do not begin with 1',
      `DELETE FROM event WHERE run_id = 'run_2' AND seq = 1`,
      /run run_2: events 2 to 4 are 3/u,
    ],
    ['a step that is gone', `DELETE FROM step WHERE run_id = 'run_2' AND place = 2`, /run run_2: steps 1 to 3 are 2/u],
    [
      'a reservation that a finished run left open',
      `DELETE FROM settlement WHERE reservation_id = 'run_1 b'`,
      /run_1 b is open, but its run is completed/u,
    ],
    [
      'an unknown outcome above its bound',
      `UPDATE settlement SET amount_nano = 21 WHERE reservation_id = 'run_1 b'`,
      /run_1 b is unknown and dearer/u,
    ],
    [
      'a finished run without an end',
      `UPDATE run SET finished_at = NULL WHERE id = 'run_1'`,
      /run run_1 is completed/u,
    ],
    ['rows of no run', `DELETE FROM run WHERE id = 'run_2'`, /step of run run_2 has no run/u],
    ['rows of another project', `UPDATE event SET project_id = 'other' WHERE run_id = 'run_2'`, /event of run run_2/u],
    [
      'a reference to nothing',
      `DELETE FROM run_level WHERE run_id = 'run_2'; DELETE FROM budget WHERE id = 'run_1'`,
      /run run_1 has a level without a budget: run run_1/u,
    ],
    [
      'a damaged file',
      `PRAGMA writable_schema=ON; UPDATE sqlite_schema SET rootpage = 2 WHERE name = 'prefix_tokens'`,
      /database file/u,
    ],
  ])('finds %s', async (_, tampering, problem) => {
    expect((await problemsAfter(tampering)).join('\n')).toMatch(problem);
  });
});
