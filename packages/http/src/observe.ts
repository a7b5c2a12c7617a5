import type { IncomingMessage } from 'node:http';
import { toIso, type Clock } from '@cloutagent/kit';
import { headerJson } from './debug.ts';
import type { Exchange } from './exchange.ts';
import type { Measures } from './measure.ts';
import type { AuditEvent, FrontOptions, Log } from './types.ts';

/** What every request leaves behind when it is over. */
export interface Observer {
  finished(exchange: Exchange): void;
  auditEvents(): number;
}

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);
/** The caller was turned away, which is worth a line whatever was asked. */
const REFUSED = new Set([401, 403, 429]);

/** @param noted a failure that came to light after its status was sent */
const resultOf = (status: number, aborted: boolean, noted: boolean): AuditEvent['result'] => {
  if (aborted) return 'aborted';
  if (status < 400) return noted ? 'failed' : 'ok';
  return REFUSED.has(status) ? 'denied' : 'failed';
};

export const openObserver = (deps: {
  readonly clock: Clock;
  readonly log: Log;
  readonly measures: Measures;
  readonly audit: FrontOptions['audit'];
}): Observer => {
  const { clock, log, measures, audit } = deps;
  let events = 0;
  return {
    finished(exchange) {
      const { request, response, requestId, principal, label, code, notes } = exchange;
      const ms = clock.monotonic() - exchange.startedMs;
      const status = response.statusCode;
      const aborted = !response.headersSent;
      measures.record(label.method, label.route, exchange.headMs ?? ms, !aborted && status >= 500);
      const method = request.method ?? '';
      // The path only: a query may carry what no log should.
      const url = request.url ?? '';
      const query = url.indexOf('?');
      const path = query < 0 ? url : url.slice(0, query);
      log('debug', 'request', { ns: 'task-mcp:http', requestId, method, path, status: aborted ? 0 : status, ms });
      if (audit === undefined || (READS.has(method) && !REFUSED.has(status))) return;
      events += 1;
      const event: AuditEvent = {
        at: toIso(clock.now()),
        requestId,
        who: principal?.name ?? 'anonymous',
        ...(principal?.tokenId === undefined ? {} : { tokenId: principal.tokenId }),
        address: exchange.address,
        method,
        route: label.route,
        status: aborted ? 0 : status,
        result: resultOf(status, aborted, notes?.['code'] !== undefined),
        ...(code === undefined ? {} : { code }),
        ms: Math.round(ms),
      };
      // Our own members win over notes of the same name. A spread in front would make a hidden class for every line.
      audit(Object.assign({}, notes, event));
    },
    auditEvents: () => events,
  };
};

const causes = (error: unknown): readonly string[] => {
  const found: string[] = [];
  let next = error;
  while (next instanceof Error && found.length < 5) {
    found.push(next.message.slice(0, 300));
    next = next.cause;
  }
  return found;
};

const asks = (request: IncomingMessage): boolean => request.headers['x-debug'] === 'true';

/**
 * Answers `X-Debug: true` with a header of the same name. Only a token buys it, and only an administrator's shows
 * what an error was caused by: such messages name files and programs.
 */
export const setDebugHeader = (exchange: Exchange, clock: Clock, error?: unknown): void => {
  const { request, response, principal, label, code } = exchange;
  if (!asks(request) || principal?.tokenId === undefined || response.headersSent) return;
  const detail = {
    requestId: exchange.requestId,
    route: `${label.method} ${label.route}`,
    who: principal.name,
    address: exchange.address,
    ms: Math.round((clock.monotonic() - exchange.startedMs) * 10) / 10,
    ...(error === undefined || code === undefined ? {} : { code }),
    ...(error !== undefined && principal.scopes.includes('admin') ? { causes: causes(error) } : {}),
  };
  exchange.head.set('X-Debug', headerJson(detail));
};
