/** Makes something of a value once, and keeps it as long as the value. */
export const keptBeside = <K extends object, V>(make: (key: K) => V): ((key: K) => V) => {
  const made = new WeakMap<K, { readonly value: V }>();
  return (key) => {
    let entry = made.get(key);
    if (entry === undefined) made.set(key, (entry = { value: make(key) }));
    return entry.value;
  };
};

/**
 * JSON of a value that nobody changes any more, made once and kept as long as the value: a page of changes is most of
 * what an answer costs, and is the same until a change is edited.
 */
export const keptJson = keptBeside((value: object): Buffer => Buffer.from(JSON.stringify(value)));
