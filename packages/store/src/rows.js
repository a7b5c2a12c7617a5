import { CloutError } from '@cloutagent/contract';
/** Of a run that can still be driven; beside it `finished_at` is null. */
export const UNFINISHED = `status IN ('running', 'waiting', 'paused', 'cancelling')`;
const wrong = (name) => new CloutError('STORAGE_CORRUPT', `Column ${name} does not hold what was written`);
export const textOrNull = (row, name) => {
  const value = row[name];
  if (value === null || typeof value === 'string') return value;
  throw wrong(name);
};
export const text = (row, name) => textOrNull(row, name) ?? raise(name);
export const intOrNull = (row, name) => {
  const value = row[name];
  if (value === null || typeof value === 'number') return value;
  throw wrong(name);
};
export const int = (row, name) => intOrNull(row, name) ?? raise(name);
/** JSON that this package wrote; the caller names its type. */
export const json = (row, name) => JSON.parse(text(row, name));
/** `undefined` has no JSON and is stored as null. */
export const toJson = (value) => JSON.stringify(value ?? null);
/** A column of a table's `usage` group; sums give null where there is no row. */
export const usage = (row) => ({
  inputTokens: intOrNull(row, 'input_tokens') ?? 0,
  cacheReadTokens: intOrNull(row, 'cache_read_tokens') ?? 0,
  cacheWrite5mTokens: intOrNull(row, 'cache_write_5m_tokens') ?? 0,
  cacheWrite1hTokens: intOrNull(row, 'cache_write_1h_tokens') ?? 0,
  outputTokens: intOrNull(row, 'output_tokens') ?? 0,
});
const raise = (name) => {
  throw wrong(name);
};
//# sourceMappingURL=rows.js.map
