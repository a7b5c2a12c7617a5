/** What a request asks for: the target of its request line is a path, a whole URL, or `*` for the server itself. */
export class Address {
  readonly #host: string;
  readonly #target: string;
  #url: URL | undefined;

  constructor(host: string, target: string) {
    this.#host = host;
    this.#target = target;
  }

  /** Parsed when somebody asks: a path that is a route as it stands needs no rules. */
  get url(): URL {
    const target = this.#target;
    return (this.#url ??= new URL(
      target.startsWith('/') ? `http://${this.#host}${target}` : target === '*' ? `http://${this.#host}/` : target,
    ));
  }
}
