import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setImmediate as setImmediateAsync } from 'node:timers/promises';
import { allows, CloutError } from '@cloutagent/contract';
import { newId } from '@cloutagent/kit';
import { openAssets, wantsHtml } from './assets.ts';
import { authenticate, tokenTable } from './authenticate.ts';
import { DEFAULT_BODY_BYTES, readJson } from './body.ts';
import { sendError, sendReply, type Exchange, type ExchangeDeps } from './exchange.ts';
import { setCorsHeaders, setStandardHeaders } from './headers.ts';
import { LIMITS, listenOn, setLimits } from './listen.ts';
import { openRouting } from './routing.ts';
import { checkSite, isLoopback, siteRules, type Site } from './site.ts';
import { StreamSet } from './stream.ts';
import type { Front, FrontOptions, RequestContext, Route } from './types.ts';

/**
 * An HTTP server over `routes`: every request passes Host and Origin check, routing, token and scope, in this order,
 * before its handler runs; every error leaves in one envelope.
 */
export const createFront = (options: FrontOptions): Front => {
  const { clock, log } = options;
  const table = tokenTable(options.tokens);
  const required = options.authenticate !== false;
  const routing = openRouting(options.routes);
  const assets = options.assets === undefined ? undefined : openAssets(options.assets);
  const streams = new StreamSet(clock);
  const exchanges = new Set<Exchange>();
  // Until `listen` nothing arrives, so these stand-ins are never used.
  let rules = siteRules(options.allowedOrigins, { loopbackBind: true, port: 0 });
  let draining: Promise<void> | undefined;
  const deps: ExchangeDeps = { clock, log, streams, draining: () => draining !== undefined };

  const contextOf = (
    exchange: Exchange,
    site: Site,
    url: URL,
    route: Route,
    params: RequestContext['params'],
  ): RequestContext => {
    const { request, response, requestId, stop } = exchange;
    const principal = authenticate(request, site, {
      table,
      loopbackBind: rules.loopbackBind,
      required,
      open: route.scope === 'open',
    });
    if (route.scope !== 'open' && !allows(principal, route.scope)) {
      throw new CloutError('FORBIDDEN', `This needs the scope ${route.scope}`, { details: { scope: route.scope } });
    }
    let body: Promise<unknown> | undefined;
    const proceed = (): void => {
      if (!exchange.expectsContinue) return;
      exchange.expectsContinue = false;
      response.writeContinue();
    };
    return {
      requestId,
      method: request.method ?? 'GET',
      url,
      params,
      headers: request.headers,
      remoteAddress: request.socket.remoteAddress ?? '',
      principal,
      signal: stop.signal,
      readJson: () => (body ??= readJson(request, route.maxBodyBytes ?? DEFAULT_BODY_BYTES, proceed)),
    };
  };

  const preflight = async (exchange: Exchange, site: Site, allow: readonly string[]): Promise<void> => {
    setCorsHeaders(exchange.response, site, true);
    await sendReply(exchange, deps, { kind: 'empty', status: 204, headers: { Allow: allow.join(', ') } });
  };

  const answer = async (exchange: Exchange): Promise<void> => {
    const { request, response } = exchange;
    const method = request.method ?? 'GET';
    let route: Route | undefined;
    try {
      if (draining !== undefined) throw new CloutError('SHUTTING_DOWN', 'The server is stopping', { retryAfter: 1 });
      const site = checkSite(request, rules);
      setCorsHeaders(response, site, false);
      const target = request.url ?? '/';
      const url = new URL(
        target.startsWith('/') ? `http://${site.host}${target}` : target === '*' ? `http://${site.host}/` : target,
      );
      const match = routing.find(method, url.pathname);
      route = match?.route;
      const reads = method === 'GET' || method === 'HEAD';
      // `/` is an answer for programs and a page for people.
      const page = reads && wantsHtml(request) && url.pathname === '/';
      if (assets !== undefined && reads && (match === undefined || page) && assets(request, response, url.pathname))
        return;
      if (match === undefined) {
        const allow = routing.allowed(url.pathname);
        if (method === 'OPTIONS' && allow.length > 0) return await preflight(exchange, site, allow);
        if (allow.length === 0) throw new CloutError('NOT_FOUND', 'There is nothing at this address');
        response.setHeader('Allow', allow.join(', '));
        throw new CloutError('METHOD_NOT_ALLOWED', `${method} is not possible here`, { details: { allow } });
      }
      const reply = await match.route.handler(contextOf(exchange, site, url, match.route, match.params));
      await sendReply(exchange, deps, reply);
    } catch (error) {
      await sendError(exchange, deps, error, route?.formatError ?? options.formatError);
    }
  };

  const handle = (request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void => {
    const started = clock.monotonic();
    const exchange: Exchange = {
      request,
      response,
      requestId: newId('req', clock),
      stop: new AbortController(),
      expectsContinue,
    };
    const { requestId, stop } = exchange;
    exchanges.add(exchange);
    setStandardHeaders(response, requestId);
    response.on('error', (error) => log('debug', 'response broke', { requestId, error }));
    response.on('close', () => {
      exchanges.delete(exchange);
      if (!response.writableFinished) stop.abort(new Error('The client went away'));
      if (draining !== undefined) setImmediate(() => server.closeIdleConnections());
      const path = (request.url ?? '').split('?')[0];
      log('debug', 'request', {
        requestId,
        method: request.method,
        path,
        status: response.statusCode,
        ms: clock.monotonic() - started,
      });
    });
    answer(exchange).catch((error: unknown) => {
      log('error', 'answer failed', { requestId, error });
      response.destroy();
    });
  };

  const server = createServer(LIMITS, (request, response) => handle(request, response, false));
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => handle(request, response, true));
  setLimits(server, options.maxConnections, log);

  const stopEverything = async (ms: number): Promise<void> => {
    // Calls back with an error where the server never listened: then there is nothing to close.
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    streams.shutdown(false);
    const patience = new AbortController();
    const late = clock.sleep(ms, patience.signal).then(
      () => true,
      () => false,
    );
    if (await Promise.race([closed.then(() => false), late])) {
      streams.shutdown(true);
      for (const exchange of exchanges) exchange.stop.abort(new CloutError('SHUTTING_DOWN', 'The server is stopping'));
      // Two turns of the loop, so that last words and 503 answers reach their sockets.
      await setImmediateAsync();
      await setImmediateAsync();
      server.closeAllConnections();
    }
    patience.abort();
    await closed;
  };

  return {
    server,
    async listen({ port, host }) {
      const loopbackBind = isLoopback(host);
      if (!loopbackBind && table.known.length === 0) {
        throw new CloutError('FORBIDDEN', `Listening on ${host} without tokens would let everybody in`, {
          hint: 'Set AUTH_TOKENS or ADMIN_TOKENS, or listen on 127.0.0.1',
        });
      }
      const bound = await listenOn(server, port, host);
      rules = siteRules(options.allowedOrigins, { loopbackBind, port: bound });
      return { url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`, port: bound };
    },
    drain: (ms) => (draining ??= stopEverything(ms)),
  };
};
