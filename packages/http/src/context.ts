import type { Principal } from '@cloutagent/contract';
import { authenticate, checkToken, type TokenTable } from './authenticate.ts';
import { DEFAULT_BODY_BYTES, DEFAULT_JSON_KEYS, readJson } from './body.ts';
import { countedAs } from './client-address.ts';
import type { Exchange } from './exchange.ts';
import type { LoginGuard } from './login-guard.ts';
import type { Site } from './site.ts';
import type { FrontStats } from './stats.ts';
import type { RequestContext, Route } from './types.ts';

/** Turns requests into what handlers know of them. */
export interface Contexts {
  /** AUTHENTICATION_FAILED, RATE_LIMIT_EXCEEDED, FORBIDDEN for a cookie of unclear origin. */
  whoCalls(exchange: Exchange, site: Site, route: Route): Principal;
  /** For a request whose principal is known. */
  of(exchange: Exchange, url: URL, route: Route, params: RequestContext['params']): RequestContext;
}

const NOBODY: Principal = { name: 'anonymous', scopes: [] };

export const openContexts = (deps: {
  readonly table: TokenTable;
  readonly guard: LoginGuard;
  readonly required: boolean;
  readonly loopbackBind: () => boolean;
  readonly stats: () => FrontStats;
}): Contexts => ({
  whoCalls: ({ request, address }, site, route) =>
    authenticate(request, site, {
      table: deps.table,
      loopbackBind: deps.loopbackBind(),
      required: deps.required,
      open: route.scope === 'open',
      guard: deps.guard,
      address: countedAs(address),
    }),
  of(exchange, url, route, params) {
    const { request, response, requestId, stop, address } = exchange;
    let body: Promise<unknown> | undefined;
    const proceed = (): void => {
      if (!exchange.expectsContinue) return;
      exchange.expectsContinue = false;
      response.writeContinue();
    };
    const limits = {
      limit: route.maxBodyBytes ?? DEFAULT_BODY_BYTES,
      maxKeys: route.maxJsonKeys ?? DEFAULT_JSON_KEYS,
    };
    return {
      requestId,
      method: request.method ?? 'GET',
      url,
      params,
      headers: request.headers,
      remoteAddress: address,
      secure: exchange.secure,
      principal: exchange.principal ?? NOBODY,
      signal: stop.signal,
      readJson: () => (body ??= readJson(request, limits, proceed)),
      checkToken: (token) => checkToken(deps.table, deps.guard, countedAs(address), token),
      note: (fields) => void Object.assign((exchange.notes ??= {}), fields),
      stats: deps.stats,
    };
  },
});
