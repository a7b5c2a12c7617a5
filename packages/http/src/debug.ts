/**
 * Which debug lines `DEBUG` asks for, in the notation of npm's `debug`: names separated by commas or blanks, `*` at
 * the end for all that begin so, `-` in front for all but these.
 */
export const debugNames = (setting: string | undefined): ((name: string) => boolean) => {
  const parts = (setting ?? '').split(/[\s,]+/u).filter((part) => part !== '');
  const matches = (pattern: string, name: string): boolean =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
  const wanted = parts.filter((part) => !part.startsWith('-'));
  const unwanted = parts.filter((part) => part.startsWith('-')).map((part) => part.slice(1));
  return (name) =>
    wanted.some((pattern) => matches(pattern, name)) && !unwanted.some((pattern) => matches(pattern, name));
};

/** Value of a header that shows an object; what no header may carry is escaped. */
export const headerJson = (value: unknown): string =>
  JSON.stringify(value).replaceAll(
    /[^\u0020-\u007e]/gu,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
