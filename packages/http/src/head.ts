import type { ServerResponse } from 'node:http';

/**
 * The headers of one answer, sent in one go: Node checks and copies each one that is set on a response by itself, and
 * keeps the copy beside every open stream.
 */
export class Head {
  /** Name, value, name, value, … as `writeHead` takes them. */
  readonly #list: string[];

  /** @param standard headers of every answer, in the same form */
  constructor(standard: readonly string[]) {
    this.#list = standard.slice();
  }

  /** A name that is there already, in any case, gets the new value. */
  set(name: string, value: string): void {
    const list = this.#list;
    for (let index = 0; index < list.length; index += 2) {
      const known = list[index] ?? '';
      if (known.length !== name.length || (known !== name && known.toLowerCase() !== name.toLowerCase())) continue;
      list[index + 1] = value;
      return;
    }
    list.push(name, value);
  }

  setAll(headers: Readonly<Record<string, string>> | undefined): void {
    for (const name in headers) this.set(name, headers[name] ?? '');
  }

  /** How much is set; what was added later can be taken back with `rewind`. */
  mark(): number {
    return this.#list.length;
  }

  rewind(mark: number): void {
    this.#list.length = mark;
  }

  send(response: ServerResponse, status: number): void {
    response.writeHead(status, this.#list);
  }

  /** For answers that somebody else sends. */
  applyTo(response: ServerResponse): void {
    for (let index = 0; index < this.#list.length; index += 2) {
      response.setHeader(this.#list[index] ?? '', this.#list[index + 1] ?? '');
    }
  }
}
