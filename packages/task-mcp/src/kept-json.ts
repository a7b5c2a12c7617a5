/** Text of a value as JSON, and its length in bytes. */
export interface KeptJson {
  readonly text: string;
  readonly bytes: number;
}

const known = new WeakMap<object, KeptJson>();

/**
 * JSON of a value that nobody changes any more, made once and kept as long as the value: a page of changes is most of
 * what an answer costs, and is the same until a change is edited.
 */
export const keptJson = (value: object): KeptJson => {
  let kept = known.get(value);
  if (kept === undefined) {
    const text = JSON.stringify(value);
    kept = { text, bytes: Buffer.byteLength(text) };
    known.set(value, kept);
  }
  return kept;
};

/** Makes something of a value once, and keeps it as long as the value. */
export const keptBeside = <K extends object, V>(make: (key: K) => V): ((key: K) => V) => {
  const made = new WeakMap<K, { readonly value: V }>();
  return (key) => {
    let entry = made.get(key);
    if (entry === undefined) made.set(key, (entry = { value: make(key) }));
    return entry.value;
  };
};
