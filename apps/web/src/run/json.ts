/** Is it an object with named fields? */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A text that says something. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** Longest JSON that is laid out for reading; what is beyond it is cut, so that a huge result cannot freeze the tab. */
const MAX_JSON = 60_000;

/** JSON for reading; a text stays as it is. */
export const showJson = (value: unknown): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? 'undefined');
  return text.length <= MAX_JSON ? text : `${text.slice(0, MAX_JSON)}\n… ${text.length - MAX_JSON} more characters`;
};
