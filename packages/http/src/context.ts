import type { IncomingHttpHeaders } from 'node:http';
import type { Principal } from '@cloutagent/contract';
import type { Address } from './address.ts';
import { authenticate, checkToken, type TokenTable } from './authenticate.ts';
import { DEFAULT_BODY_BYTES, DEFAULT_JSON_KEYS, readJson } from './body.ts';
import { countedAs } from './client-address.ts';
import type { Exchange } from './exchange.ts';
import type { LoginGuard } from './login-guard.ts';
import type { Match } from './routing.ts';
import type { Site } from './site.ts';
import type { FrontStats } from './stats.ts';
import type { RequestContext, Route } from './types.ts';

/** Turns requests into what handlers know of them. */
export interface Contexts {
  /** AUTHENTICATION_FAILED, RATE_LIMIT_EXCEEDED, FORBIDDEN for a cookie of unclear origin. */
  whoCalls(exchange: Exchange, site: Site, route: Route): Principal;
  /** For a request whose principal is known. */
  of(exchange: Exchange, asked: Address, match: Match): RequestContext;
}

interface ContextDeps {
  readonly table: TokenTable;
  readonly guard: LoginGuard;
  readonly required: boolean;
  readonly loopbackBind: () => boolean;
  readonly stats: () => FrontStats;
}

const NOBODY: Principal = { name: 'anonymous', scopes: [] };

/** A view of an exchange; what few handlers ask for is made when they do. */
class Context implements RequestContext {
  readonly #deps: ContextDeps;
  readonly #exchange: Exchange;
  readonly #asked: Address;
  readonly #match: Match;
  #body: Promise<unknown> | undefined;

  constructor(deps: ContextDeps, exchange: Exchange, asked: Address, match: Match) {
    this.#deps = deps;
    this.#exchange = exchange;
    this.#asked = asked;
    this.#match = match;
  }

  get requestId(): string {
    return this.#exchange.requestId;
  }
  get method(): string {
    return this.#exchange.request.method ?? 'GET';
  }
  get url(): URL {
    return this.#asked.url;
  }
  get params(): RequestContext['params'] {
    return this.#match.params;
  }
  get headers(): IncomingHttpHeaders {
    return this.#exchange.request.headers;
  }
  get remoteAddress(): string {
    return this.#exchange.address;
  }
  get secure(): boolean {
    return this.#exchange.secure;
  }
  get principal(): Principal {
    return this.#exchange.principal ?? NOBODY;
  }
  get signal(): AbortSignal {
    return this.#exchange.stop.signal;
  }

  throwIfAborted(): void {
    this.#exchange.stop.throwIfAborted();
  }

  readJson(): Promise<unknown> {
    const exchange = this.#exchange;
    const { maxBodyBytes, maxJsonKeys } = this.#match.route;
    return (this.#body ??= readJson(
      exchange.request,
      { limit: maxBodyBytes ?? DEFAULT_BODY_BYTES, maxKeys: maxJsonKeys ?? DEFAULT_JSON_KEYS },
      () => {
        if (!exchange.expectsContinue) return;
        exchange.expectsContinue = false;
        exchange.response.writeContinue();
      },
    ));
  }

  checkToken(token: string): Principal | undefined {
    return checkToken(this.#deps.table, this.#deps.guard, countedAs(this.#exchange.address), token);
  }

  note(fields: Readonly<Record<string, string | number | boolean>>): void {
    Object.assign((this.#exchange.notes ??= {}), fields);
  }

  stats(): FrontStats {
    return this.#deps.stats();
  }
}

export const openContexts = (deps: ContextDeps): Contexts => ({
  whoCalls: ({ request, address }, site, route) =>
    authenticate(request, site, {
      table: deps.table,
      loopbackBind: deps.loopbackBind(),
      required: deps.required,
      open: route.scope === 'open',
      oldCookies: route.oldCookies === true,
      guard: deps.guard,
      address: countedAs(address),
    }),
  of: (exchange, asked, match) => new Context(deps, exchange, asked, match),
});
