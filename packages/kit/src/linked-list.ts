interface Link<T> {
  readonly value: T;
  before: Link<T> | undefined;
  after: Link<T> | undefined;
  listed: boolean;
}

/**
 * Values in the order in which they came, each of which leaves when it likes. For what comes and goes thousands of
 * times a second: a Set makes itself a new table every few dozen, the old table refers to the new one and to all that
 * was in it, and once one of them is old, the collector copies whatever ever came until it looks at the whole heap.
 * A link that left refers to nothing in the list.
 */
export class LinkedList<T> {
  #first: Link<T> | undefined;
  #last: Link<T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#first?.value;
  }

  /** @returns takes the value out again, and says whether it was still there */
  add(value: T): () => boolean {
    const link: Link<T> = { value, before: this.#last, after: undefined, listed: true };
    if (this.#last === undefined) this.#first = link;
    else this.#last.after = link;
    this.#last = link;
    this.#size += 1;
    return () => this.#remove(link);
  }

  /** Takes out the first. */
  shift(): T | undefined {
    const first = this.#first;
    if (first !== undefined) this.#remove(first);
    return first?.value;
  }

  /** All of them now. */
  values(): T[] {
    const values: T[] = [];
    for (let link = this.#first; link !== undefined; link = link.after) values.push(link.value);
    return values;
  }

  #remove(link: Link<T>): boolean {
    if (!link.listed) return false;
    const { before, after } = link;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    link.before = undefined;
    link.after = undefined;
    link.listed = false;
    this.#size -= 1;
    return true;
  }
}
