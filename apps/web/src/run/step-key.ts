/** One part of a step's key: `turn[1]` is `{name: 'turn', index: '1'}`. */
export interface KeySegment {
  readonly name: string;
  readonly index: string;
}

/** `task[1.2]/try[0]/turn[1]` → its prefixes, outermost first. A slash inside brackets belongs to the index. */
export const keyPrefixes = (key: string): readonly string[] => {
  const prefixes: string[] = [];
  let depth = 0;
  for (let at = 0; at < key.length; at += 1) {
    const char = key[at];
    if (char === '[') depth += 1;
    else if (char === ']') depth -= 1;
    else if (char === '/' && depth === 0) prefixes.push(key.slice(0, at));
  }
  return key === '' ? [] : [...prefixes, key];
};

/** The last part of a key. */
export const lastSegment = (key: string): KeySegment => {
  const parent = keyPrefixes(key).at(-2);
  const text = parent === undefined ? key : key.slice(parent.length + 1);
  const open = text.indexOf('[');
  return open < 0 ? { name: text, index: '' } : { name: text.slice(0, open), index: text.slice(open + 1, -1) };
};

export const parentKey = (key: string): string | undefined => keyPrefixes(key).at(-2);

export const taskKey = (taskId: string): string => `task[${taskId}]`;

/** Parts that are a facet of the step above them and not a row of their own: a turn's model call, a task's outcome. */
const FACETS: ReadonlySet<string> = new Set(['model', 'outcome', 'end', 'done']);

/** Key of the tree's row that shows this step. */
export const rowKey = (key: string): string => {
  const parent = parentKey(key);
  return parent !== undefined && FACETS.has(lastSegment(key).name) ? parent : key;
};
