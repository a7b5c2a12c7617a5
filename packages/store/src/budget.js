import { CloutError } from '@cloutagent/contract';
import { read, write } from './ask.js';
import { int, intOrNull } from './rows.js';
/** Creates a budget; one that exists stays as it is. */
export const ensureBudgetStatement = (level, limitNanoUsd) => ({
  sql: `INSERT INTO budget (scope, id, limit_nano, spent_nano, held_nano) VALUES (?, ?, ?, 0, 0) ON CONFLICT (scope, id) DO NOTHING`,
  params: [level.scope, level.id, limitNanoUsd],
});
/** In the order asked; a level that nobody made is unlimited and unspent. */
export const readBudgets = async (writer, levels) => {
  const answers = await read(
    writer,
    levels.map((level) => ({
      sql: 'SELECT limit_nano, spent_nano, held_nano FROM budget WHERE scope = ? AND id = ?',
      params: [level.scope, level.id],
    })),
  );
  return levels.map((level, index) => toBudget(level, answers[index]?.rows[0]));
};
/** Below what is spent and held it only refuses new reservations. Throws RUN_NOT_FOUND for the budget of no run. */
export const writeLimit = async (writer, level, limitNanoUsd) => {
  const update = {
    sql: 'UPDATE budget SET limit_nano = ? WHERE scope = ? AND id = ? RETURNING limit_nano, spent_nano, held_nano',
    params: [limitNanoUsd, level.scope, level.id],
    expectChanges: 1,
    refuse: () => new CloutError('RUN_NOT_FOUND', `Run ${level.id} has no budget of its own`),
  };
  const create = level.scope === 'project' ? [ensureBudgetStatement(level, null)] : [];
  const answers = await write(writer, [...create, update]);
  return toBudget(level, answers.at(-1)?.rows[0]);
};
const toBudget = (level, row) => ({
  scope: level.scope,
  id: level.id,
  limitNanoUsd: row === undefined ? null : intOrNull(row, 'limit_nano'),
  spentNanoUsd: row === undefined ? 0 : int(row, 'spent_nano'),
  heldNanoUsd: row === undefined ? 0 : int(row, 'held_nano'),
});
//# sourceMappingURL=budget.js.map
