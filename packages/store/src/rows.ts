import { CloutError, type Usage, type UsageTrait } from '@cloutagent/contract';
import type { Row } from './libsql.ts';

/** Of a run that can still be driven; beside it `finished_at` is null. */
export const UNFINISHED = `status IN ('running', 'waiting', 'paused', 'cancelling')`;

const wrong = (name: string): CloutError =>
  new CloutError('STORAGE_CORRUPT', `Column ${name} does not hold what was written`);

export const textOrNull = (row: Row, name: string): string | null => {
  const value = row[name];
  if (value === null || typeof value === 'string') return value;
  throw wrong(name);
};

export const text = (row: Row, name: string): string => textOrNull(row, name) ?? raise(name);

export const intOrNull = (row: Row, name: string): number | null => {
  const value = row[name];
  if (value === null || typeof value === 'number') return value;
  throw wrong(name);
};

export const int = (row: Row, name: string): number => intOrNull(row, name) ?? raise(name);

/** JSON that this package wrote; the caller names its type. */
export const json = (row: Row, name: string): unknown => JSON.parse(text(row, name)) as unknown;

/** `undefined` has no JSON and is stored as null. */
export const toJson = (value: unknown): string => JSON.stringify(value ?? null);

/** A column of a table's `usage` group; sums give null where there is no row. */
export const usage = (row: Row): Usage => ({
  inputTokens: intOrNull(row, 'input_tokens') ?? 0,
  cacheReadTokens: intOrNull(row, 'cache_read_tokens') ?? 0,
  cacheWrite5mTokens: intOrNull(row, 'cache_write_5m_tokens') ?? 0,
  cacheWrite1hTokens: intOrNull(row, 'cache_write_1h_tokens') ?? 0,
  outputTokens: intOrNull(row, 'output_tokens') ?? 0,
  ...(typeof row['web_searches'] === 'number' ? { webSearchRequests: row['web_searches'] } : {}),
  // Written from a list of them.
  ...(typeof row['traits'] === 'string' && row['traits'] !== ''
    ? { traits: row['traits'].split(' ') as UsageTrait[] }
    : {}),
});

const raise = (name: string): never => {
  throw wrong(name);
};
