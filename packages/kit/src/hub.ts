/**
 * Fan-out of values by topic within the process. A subscriber is called synchronously and must not throw or block;
 * whoever writes to a socket keeps its own bounded queue.
 */
export class Hub<T> {
  readonly #topics = new Map<string, Set<(value: T) => void>>();

  publish(topic: string, value: T): void {
    for (const receive of this.#topics.get(topic) ?? []) receive(value);
  }

  /** Returns the function that ends the subscription. */
  subscribe(topic: string, receive: (value: T) => void): () => void {
    const receivers = this.#topics.get(topic) ?? new Set();
    receivers.add(receive);
    this.#topics.set(topic, receivers);
    return () => {
      receivers.delete(receive);
      if (receivers.size === 0) this.#topics.delete(topic);
    };
  }

  /** How many receivers a topic has. */
  count(topic: string): number {
    return this.#topics.get(topic)?.size ?? 0;
  }
}
