import { isLoopback, type RequestContext } from '@cloutagent/http';
import type { Caller } from './run-tool.ts';

/** Callers on this machine can open the paths that they are given. */
export const isLocal = ({ remoteAddress }: RequestContext): boolean => isLoopback(remoteAddress);

/** The caller of a request, as a view of it: its signal is made when a tool asks for it. */
class RequestCaller implements Caller {
  readonly #context: RequestContext;
  readonly local: boolean;

  constructor(context: RequestContext) {
    this.#context = context;
    this.local = isLocal(context);
  }

  get principal(): Caller['principal'] {
    return this.#context.principal;
  }

  get signal(): AbortSignal {
    return this.#context.signal;
  }

  throwIfAborted(): void {
    this.#context.throwIfAborted();
  }
}

export const callerIn = (context: RequestContext): Caller => new RequestCaller(context);
