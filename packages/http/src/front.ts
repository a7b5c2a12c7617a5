import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { allows, CloutError, toErrorBody } from '@cloutagent/contract';
import { LinkedList, newId } from '@cloutagent/kit';
import { Address } from './address.ts';
import { openAssets, wantsHtml } from './assets.ts';
import { tokenTable } from './authenticate.ts';
import { countedAs, openProxies } from './client-address.ts';
import { openContexts } from './context.ts';
import { openDeadlines } from './deadline.ts';
import { stopFront } from './drain.ts';
import { sendError, sendReply, type Exchange, type ExchangeDeps } from './exchange.ts';
import { openGate } from './gate.ts';
import { openHeads, setCorsHeaders } from './headers.ts';
import { keepRequestsYoung } from './heap.ts';
import { countConnections, LIMITS, listenOn, setLimits } from './listen.ts';
import { openLoginGuard } from './login-guard.ts';
import { openMeasures } from './measure.ts';
import { openObserver, setDebugHeader } from './observe.ts';
import { openRouting } from './routing.ts';
import { checkSite, isLoopback, siteRules, type Site } from './site.ts';
import { Stop } from './stop.ts';
import { StreamSet } from './stream.ts';
import type { FrontStats } from './stats.ts';
import type { Front, FrontOptions, Reply, Route } from './types.ts';
import { checkApiVersion } from './version.ts';

/** What is asked for is no route of ours. */
const NO_ROUTE = '(none)';
const ASSETS = '(assets)';

/** Waits for a handler, but no longer than the front lets it. */
const settled = (exchange: Exchange, work: Promise<Reply>): Promise<Reply> =>
  new Promise((resolve, reject) => {
    exchange.fail = reject;
    work.then(resolve, reject);
  });

/**
 * An HTTP server over `routes`: every request passes Host and Origin check, routing, token and scope and rate limit,
 * in this order, before its handler runs; every error leaves in one envelope.
 */
export const createFront = (options: FrontOptions): Front => {
  keepRequestsYoung();
  const { clock, log } = options;
  const table = 'known' in options.tokens ? options.tokens : tokenTable(options.tokens);
  const routing = openRouting(options.routes);
  const assets = options.assets === undefined ? undefined : openAssets(options.assets);
  const proxies = openProxies(options.trustedProxies ?? []);
  const guard = openLoginGuard(clock);
  const gate = options.rateLimit === undefined ? undefined : openGate(options.rateLimit, { clock, log });
  const deadlines = options.requestTimeoutMs === undefined ? undefined : openDeadlines(clock, options.requestTimeoutMs);
  const measures = openMeasures(clock);
  const observer = openObserver({ clock, log, measures, audit: options.audit });
  const streams = new StreamSet(clock);
  const exchanges = new LinkedList<Exchange>();
  const activeTokens = new Set<string>();
  const security = options.securityHeaders !== false;
  const headOf = openHeads(security);
  const showDebug = options.debugHeader === false ? () => undefined : setDebugHeader;
  let preflights = 0;
  // Until `listen` nothing arrives, so these stand-ins are never used.
  let rules = siteRules(options.allowedOrigins, { loopbackBind: true, port: 0 });
  let draining: Promise<void> | undefined;
  const deps: ExchangeDeps = { clock, log, streams, draining: () => draining !== undefined };

  const stats = (): FrontStats => ({
    ...measures.total(),
    inFlight: exchanges.size,
    connections: connections(),
    streams: streams.size,
    routes: measures.routes(),
    auth: { configured: table.known.length, active: activeTokens.size, ...guard.stats() },
    rateLimit: gate?.stats(),
    cors: { allowedOrigins: options.allowedOrigins, preflights },
    audit: { events: observer.auditEvents() },
    securityHeaders: security,
    tls: options.tls !== undefined,
  });

  const contexts = openContexts({
    table,
    guard,
    required: options.authenticate !== false,
    loopbackBind: () => rules.loopbackBind,
    stats,
  });

  const preflight = async (exchange: Exchange, site: Site, allow: readonly string[]): Promise<void> => {
    preflights += 1;
    setCorsHeaders(exchange.head, site, exchange.request);
    await sendReply(exchange, deps, { kind: 'empty', status: 204, headers: { Allow: allow.join(', ') } });
  };

  /** Token, scope and rate limit, in this order: who is refused has used up one request too. */
  const enter = (exchange: Exchange, site: Site, route: Route): Promise<void> | undefined => {
    const { head, address } = exchange;
    const limited = route.limited ?? route.method !== 'GET';
    try {
      exchange.principal = contexts.whoCalls(exchange, site, route);
      if (route.scope !== 'open' && !allows(exchange.principal, route.scope)) {
        throw new CloutError('FORBIDDEN', `This needs the scope ${route.scope}`, { details: { scope: route.scope } });
      }
    } catch (error) {
      const refused = limited ? gate?.admit(head, countedAs(address)) : undefined;
      if (refused === undefined) throw error;
      return refused.then(() => Promise.reject(error as Error));
    }
    const { tokenId } = exchange.principal;
    if (tokenId !== undefined) activeTokens.add(tokenId);
    const key = tokenId ?? countedAs(address);
    if (limited) return gate?.admit(head, key);
    gate?.show(head, key);
    return undefined;
  };

  const answer = async (exchange: Exchange): Promise<void> => {
    const { request, head } = exchange;
    const method = request.method ?? 'GET';
    let route: Route | undefined;
    try {
      if (draining !== undefined) throw new CloutError('SHUTTING_DOWN', 'The server is stopping', { retryAfter: 1 });
      const site = checkSite(request, rules, exchange.secure);
      setCorsHeaders(head, site);
      const target = request.url ?? '/';
      const asked = new Address(site.host, target);
      const match = routing.plain(method, target) ?? routing.find(method, asked.url.pathname);
      route = match?.route;
      const reads = method === 'GET' || method === 'HEAD';
      // `/` is an answer for programs and a page for people.
      const page = reads && wantsHtml(request) && asked.url.pathname === '/';
      if (assets !== undefined && reads && (match === undefined || page) && assets(exchange, asked.url.pathname)) {
        exchange.label = { method: 'GET', route: ASSETS };
        exchange.timed = false;
        return;
      }
      if (match === undefined) {
        const allow = routing.allowed(asked.url.pathname);
        if (method === 'OPTIONS' && allow.length > 0) return await preflight(exchange, site, allow);
        if (allow.length === 0) throw new CloutError('NOT_FOUND', 'There is nothing at this address');
        head.set('Allow', allow.join(', '));
        throw new CloutError('METHOD_NOT_ALLOWED', `${method} is not possible here`, { details: { allow } });
      }
      exchange.label = { method: match.route.method, route: match.route.path };
      if (match.route.timed === false) exchange.timed = false;
      const entered = enter(exchange, site, match.route);
      if (entered !== undefined) await entered;
      checkApiVersion(request.headers['api-version']);
      const context = contexts.of(exchange, asked, match);
      const reply = await settled(exchange, Promise.resolve(match.route.handler(context)));
      showDebug(exchange, clock);
      await sendReply(exchange, deps, reply);
    } catch (error) {
      exchange.timed = false;
      exchange.code = toErrorBody(error).code;
      showDebug(exchange, clock, error);
      await sendError(exchange, deps, error, route?.formatError ?? options.formatError);
    }
  };

  const handle = (request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void => {
    const stop = new Stop();
    const secure = options.tls !== undefined || proxies.saysSecure(request);
    const requestId = newId('req', clock);
    const exchange: Exchange = {
      request,
      response,
      requestId,
      head: headOf(requestId, secure),
      stop,
      expectsContinue,
      startedMs: clock.monotonic(),
      timed: deadlines !== undefined,
      address: proxies.addressOf(request),
      secure,
      label: { method: 'ANY', route: NO_ROUTE },
      expire(error) {
        stop.abort(error);
        exchange.fail?.(error);
      },
    };
    const leave = exchanges.add(exchange);
    const unwatch = deadlines?.add(exchange);
    response.on('error', (error) => log('debug', 'response broke', { ns: 'task-mcp:http', requestId, error }));
    response.on('close', () => {
      leave();
      unwatch?.();
      if (!response.writableFinished) stop.abort(new Error('The client went away'));
      if (draining !== undefined) setImmediate(() => server.closeIdleConnections());
      observer.finished(exchange);
    });
    answer(exchange).catch((error: unknown) => {
      log('error', 'answer failed', { requestId, error });
      response.destroy();
    });
  };

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => handle(request, response, false);
  const server =
    options.tls === undefined
      ? createHttpServer(LIMITS, onRequest)
      : createHttpsServer({ ...LIMITS, ...options.tls, minVersion: 'TLSv1.2' }, onRequest);
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => handle(request, response, true));
  setLimits(server, options.maxConnections, log);
  const connections = countConnections(server, {
    perAddress: options.maxConnectionsPerAddress,
    isExempt: (address) => isLoopback(address) || proxies.trusts(address),
  });

  return {
    server,
    stats,
    async listen({ port, host }) {
      const loopbackBind = isLoopback(host);
      if (!loopbackBind && table.known.length === 0) {
        throw new CloutError('FORBIDDEN', `Listening on ${host} without tokens would let everybody in`, {
          hint: 'Set AUTH_TOKENS or ADMIN_TOKENS, or listen on 127.0.0.1',
        });
      }
      const bound = await listenOn(server, port, host);
      rules = siteRules(options.allowedOrigins, { loopbackBind, port: bound });
      const scheme = options.tls === undefined ? 'http' : 'https';
      return { url: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${bound}`, port: bound };
    },
    drain: (ms) =>
      (draining ??= stopFront({ server, streams, exchanges, clock }, ms).finally(() => {
        deadlines?.close();
        gate?.close();
      })),
  };
};
