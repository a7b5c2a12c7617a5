/**
 * Texts whose reading is kept: one operation looks at the same documents from several sides, and every archive at those
 * of all changes that share a capability.
 */
const MAX_TEXTS = 256;
/** Characters of all of them together: some large specifications, or many small ones. */
const MAX_TOTAL = 1024 * 1024;

/** The same function, which reads a text of the last few only once. What it gives is shared, so it must be readonly. */
export const remembered = <T>(read: (text: string) => T): ((text: string) => T) => {
  const known = new Map<string, T>();
  let total = 0;
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const found = read(text);
    if (text.length > MAX_TOTAL / 4) return found;
    known.set(text, found);
    total += text.length;
    for (const oldest of known.keys()) {
      if (known.size <= MAX_TEXTS && total <= MAX_TOTAL) break;
      known.delete(oldest);
      total -= oldest.length;
    }
    return found;
  };
};
