/** Shorter values are words that stand in many texts. */
const MIN_LENGTH = 8;

const MASK = '(hidden)';

/** Takes secrets out of what a server says, by their values: texts, and all texts and names in lists and objects. */
export const redact = <T>(secrets: readonly string[] | undefined, value: T): T => {
  // Of two that begin alike the longer goes first, so that nothing of it is left.
  const values = (secrets ?? []).filter(({ length }) => length >= MIN_LENGTH).sort((a, b) => b.length - a.length);
  return values.length === 0 ? value : (mapTexts(value, (text) => hide(text, values)) as T); // the same shape
};

const hide = (text: string, values: readonly string[]): string =>
  values.reduce((said, value) => said.replaceAll(value, () => MASK), text);

const mapTexts = (value: unknown, change: (text: string) => string): unknown => {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [change(name), mapTexts(item, change)]));
};
