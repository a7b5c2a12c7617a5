/**
 * Reads the YAML that OpenSpec and we write, in a fiftieth of a parser's time: `key: value` lines and one level of
 * nesting, plain scalars only. Undefined for everything else, which may be YAML all the same: ask the parser.
 */
export const readPlainYaml = (text: string): ReadonlyMap<string, unknown> | undefined => {
  const keys = new Map<string, unknown>();
  let nested: Map<string, unknown> | undefined;
  let parent: string | undefined;
  for (const line of text.split(/\r?\n/u)) {
    if (line === '' || line.startsWith('#')) continue;
    const [, indent, key, written] = LINE.exec(line) ?? [];
    if (key === undefined || key === '__proto__' || WORDS.has(key.toLowerCase())) return undefined;
    const value = written === undefined ? null : scalarOf(written);
    if (value === undefined) return undefined;
    if (indent === undefined) {
      if (keys.has(key)) return undefined;
      keys.set(key, value);
      parent = value === null && written === undefined ? key : undefined;
      nested = undefined;
      continue;
    }
    if (parent === undefined) return undefined;
    nested ??= new Map();
    if (nested.has(key)) return undefined;
    nested.set(key, value);
    keys.set(parent, Object.fromEntries(nested));
  }
  return keys;
};

/** Keys are words and file names; a value starts with a letter or a digit, so it is no quote, tag, alias or block. */
const LINE = /^( {2})?([A-Za-z_][\w./-]{0,199}):(?: ([\p{L}\d][\p{L}\w ,'"()!?./:@+-]*))?$/u;

/** Spellings that are no text to YAML. */
const WORDS: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** Undefined where only a parser can tell what it is. */
const scalarOf = (written: string): string | number | boolean | null | undefined => {
  if (/: |:$| $/u.test(written)) return undefined;
  const word = WORDS.get(written);
  if (word !== undefined) return word;
  if (WORDS.has(written.toLowerCase())) return undefined;
  if (/^(?:0|[1-9]\d{0,14})$/u.test(written)) return Number(written);
  return Number.isNaN(Number(written)) ? written : undefined;
};
