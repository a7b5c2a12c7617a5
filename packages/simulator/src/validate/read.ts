import { invalid } from '../refusal.ts';
import { isRecord } from '../request.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Readers of single members; each refuses with the member's path, as the real API does. */
export const readRecord = (value: unknown, path: string): Fields => {
  if (value === undefined) throw invalid(`${path}: Field required`);
  if (!isRecord(value)) throw invalid(`${path}: Input should be a valid dictionary`);
  return value;
};

export const readString = (value: unknown, path: string): string => {
  if (value === undefined) throw invalid(`${path}: Field required`);
  if (typeof value !== 'string') throw invalid(`${path}: Input should be a valid string`);
  return value;
};

export const readList = (value: unknown, path: string): readonly unknown[] => {
  if (value === undefined) throw invalid(`${path}: Field required`);
  if (!Array.isArray(value)) throw invalid(`${path}: Input should be a valid list`);
  return value;
};

export const readInteger = (value: unknown, path: string, least: number): number => {
  if (value === undefined) throw invalid(`${path}: Field required`);
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    throw invalid(`${path}: Input should be a valid integer`);
  if (value < least) throw invalid(`${path}: Input should be greater than or equal to ${least}`);
  return value;
};

export const readOneOf = (value: unknown, path: string, choices: readonly string[]): string => {
  const text = readString(value, path);
  if (!choices.includes(text))
    throw invalid(`${path}: Input should be ${choices.map((choice) => `'${choice}'`).join(' or ')}`);
  return text;
};

export const refuseUnknown = (fields: Fields, known: ReadonlySet<string>, path: string): void => {
  for (const key of Object.keys(fields)) {
    if (!known.has(key)) throw invalid(`${path === '' ? '' : `${path}.`}${key}: Extra inputs are not permitted`);
  }
};

/** `undefined` where the member is absent or null, which the API takes as the same. */
export const optional = <T>(value: unknown, read: (value: unknown) => T): T | undefined =>
  value === undefined || value === null ? undefined : read(value);
