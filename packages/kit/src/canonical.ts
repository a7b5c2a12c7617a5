/** JSON with sorted keys and no white space: equal values give equal text. `undefined` members are left out. */
export const canonicalJson = (value: unknown): string => textOf(value) ?? 'null';

/** Undefined for what JSON cannot say: a member is left out, an item of a list becomes null. */
const textOf = (value: unknown): string | undefined => {
  if (Array.isArray(value)) return `[${value.map((item: unknown) => textOf(item) ?? 'null').join(',')}]`;
  // Functions and undefined have no JSON, whatever the declared type says.
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  let members = '';
  for (const key of sortedKeys(value)) {
    const member = textOf((value as Readonly<Record<string, unknown>>)[key]);
    if (member !== undefined) members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${member}`;
  }
  return `{${members}}`;
};

const sortedKeys = (value: object): readonly string[] => {
  const keys = Object.keys(value);
  // Most values are hashed again and again in the order in which they were made.
  return keys.every((key, index) => index === 0 || (keys[index - 1] ?? '') <= key) ? keys : keys.sort();
};
