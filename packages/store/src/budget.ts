import { CloutError, type Budget, type BudgetLevel } from '@cloutagent/contract';
import { read, write, type Guarded } from './ask.ts';
import type { Row } from './libsql.ts';
import { int, intOrNull } from './rows.ts';
import type { Writer } from './writer.ts';

/** Creates a budget; one that exists stays as it is. */
export const ensureBudgetStatement = (level: BudgetLevel, limitNanoUsd: number | null): Guarded => ({
  sql: `INSERT INTO budget (scope, id, limit_nano, spent_nano, held_nano) VALUES (?, ?, ?, 0, 0) ON CONFLICT (scope, id) DO NOTHING`,
  params: [level.scope, level.id, limitNanoUsd],
});

/** In the order asked; a level that nobody made is unlimited and unspent. */
export const readBudgets = async (writer: Writer, levels: readonly BudgetLevel[]): Promise<readonly Budget[]> => {
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
export const writeLimit = async (writer: Writer, level: BudgetLevel, limitNanoUsd: number | null): Promise<Budget> => {
  const update: Guarded = {
    sql: 'UPDATE budget SET limit_nano = ? WHERE scope = ? AND id = ? RETURNING limit_nano, spent_nano, held_nano',
    params: [limitNanoUsd, level.scope, level.id],
    expectChanges: 1,
    refuse: () => new CloutError('RUN_NOT_FOUND', `Run ${level.id} has no budget of its own`),
  };
  const create = level.scope === 'project' ? [ensureBudgetStatement(level, null)] : [];
  const answers = await write(writer, [...create, update]);
  return toBudget(level, answers.at(-1)?.rows[0]);
};

const toBudget = (level: BudgetLevel, row: Row | undefined): Budget => ({
  scope: level.scope,
  id: level.id,
  limitNanoUsd: row === undefined ? null : intOrNull(row, 'limit_nano'),
  spentNanoUsd: row === undefined ? 0 : int(row, 'spent_nano'),
  heldNanoUsd: row === undefined ? 0 : int(row, 'held_nano'),
});
