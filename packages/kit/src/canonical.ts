/** JSON with sorted keys and no white space: equal values give equal text. `undefined` members are left out. */
export const canonicalJson = (value: unknown): string => textOf(value) ?? 'null';

/** Undefined for what JSON cannot say: a member is left out, an item of a list becomes null. */
const textOf = (value: unknown): string | undefined => {
  // One call for what is in order already: most parts of a value are.
  if (isOrdered(value)) return JSON.stringify(value);
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
  return areSorted(keys) ? keys : keys.sort();
};

const areSorted = (keys: readonly string[]): boolean => {
  for (let index = 1; index < keys.length; index += 1) if ((keys[index - 1] ?? '') > (keys[index] ?? '')) return false;
  return true;
};

const isOrdered = (value: unknown): boolean => {
  if (value === null || typeof value !== 'object') return true;
  if (Array.isArray(value)) return value.every(isOrdered);
  // What says itself how it is written is written by its members all the same.
  return !('toJSON' in value) && areSorted(Object.keys(value)) && Object.values(value).every(isOrdered);
};
