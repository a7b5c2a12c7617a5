/** Texts whose reading is kept: one operation looks at the same few documents from several sides. */
const MAX_TEXTS = 48;
/** Longer ones are rare, and would fill the memory. */
const MAX_LENGTH = 64 * 1024;

/** The same function, which reads a text of the last few only once. What it gives is shared, so it must be readonly. */
export const remembered = <T>(read: (text: string) => T): ((text: string) => T) => {
  const known = new Map<string, T>();
  return (text) => {
    if (text.length > MAX_LENGTH) return read(text);
    const before = known.get(text);
    if (before !== undefined) return before;
    const found = read(text);
    const [oldest] = known.keys();
    if (known.size >= MAX_TEXTS && oldest !== undefined) known.delete(oldest);
    known.set(text, found);
    return found;
  };
};
