import type { IncomingMessage } from 'node:http';
import { CloutError } from '@cloutagent/contract';

/** What the Host and Origin headers of a request say, after they were found acceptable. */
export interface Site {
  /** Host header in lower case, with its port. */
  readonly host: string;
  /** The Host names this machine's loopback interface. */
  readonly loopbackHost: boolean;
  readonly origin: string | undefined;
  /** An allowed origin other than our own: the answer needs CORS headers. */
  readonly crossOrigin: boolean;
}

export interface SiteRules {
  readonly loopbackBind: boolean;
  readonly port: number;
  readonly allowedOrigins: ReadonlySet<string>;
  /** Hosts of the allowed origins: what a reverse proxy on this machine passes on. */
  readonly allowedHosts: ReadonlySet<string>;
}

const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/u;
const LOOPBACK_NAMES = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Is this address (of a socket, or to bind) only reachable from this machine? */
export const isLoopback = (address: string): boolean =>
  address === 'localhost' || address === '::1' || /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/u.test(address);

export const siteRules = (
  allowedOrigins: readonly string[],
  bind: { loopbackBind: boolean; port: number },
): SiteRules => ({
  ...bind,
  allowedOrigins: new Set(allowedOrigins),
  allowedHosts: new Set(allowedOrigins.filter((origin) => URL.canParse(origin)).map((origin) => new URL(origin).host)),
});

const refuse = (message: string, hint: string): CloutError => new CloutError('FORBIDDEN', message, { hint });

/**
 * Holds off DNS rebinding and foreign pages: on a loopback bind the Host must name loopback and our port, and an
 * Origin that is sent must be ours or allowed. FORBIDDEN otherwise. Node takes the first of two Host headers, so the
 * raw headers are counted.
 * @param secure the caller speaks TLS, which is part of our own origin's name
 */
export const checkSite = (request: IncomingMessage, rules: SiteRules, secure: boolean): Site => {
  const { rawHeaders } = request;
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  const host = (request.headers.host ?? '').toLowerCase();
  const match = HOST.exec(host);
  if (hosts !== 1 || match === null)
    throw refuse('The Host header is missing, double or malformed', 'Send one Host header');
  const loopbackHost =
    LOOPBACK_NAMES.has(match[1] ?? '') && (match[2] === undefined || Number(match[2]) === rules.port);
  if (rules.loopbackBind && !loopbackHost && !rules.allowedHosts.has(host)) {
    throw refuse(
      'This host name is not served here',
      `Use localhost:${rules.port}, or name the origin in ALLOWED_ORIGINS`,
    );
  }
  const target = request.url ?? '/';
  if (
    !target.startsWith('/') &&
    target !== '*' &&
    !(URL.canParse(target) && new URL(target).host === host.replace(secure ? /:443$/u : /:80$/u, ''))
  ) {
    throw refuse('The request names two hosts', 'Send the path only');
  }
  const { origin } = request.headers;
  if (origin === undefined) return { host, loopbackHost, origin, crossOrigin: false };
  const own = origin.toLowerCase() === `${secure ? 'https' : 'http'}://${host}`;
  if (!own && !rules.allowedOrigins.has(origin)) {
    throw refuse(
      'This origin may not call the server',
      'Name the origin in ALLOWED_ORIGINS, exactly as the browser sends it',
    );
  }
  return { host, loopbackHost, origin, crossOrigin: !own };
};
