import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ALL_SCOPES, CloutError, type Principal } from '@cloutagent/contract';
import type { LoginGuard } from './login-guard.ts';
import { isLoopback, type Site } from './site.ts';

/** Name of the cookie that carries a token (seed 002 "Cookie-based Authentication"). */
export const AUTH_COOKIE = 'task-mcp-auth';

interface KnownToken {
  readonly digest: Buffer;
  readonly principal: Principal;
}

/** Only digests are kept: a heap dump holds no token. */
export interface TokenTable {
  readonly known: readonly KnownToken[];
  readonly hasUserTokens: boolean;
}

const ANYONE: Principal = { name: 'anyone', scopes: ALL_SCOPES };
const NOBODY: Principal = { name: 'anonymous', scopes: [] };
const LOCAL: Principal = { name: 'local', scopes: ['read', 'run'] };

const digestOf = (token: string): Buffer => hash('sha256', token, 'buffer');

const knownToken = (token: string, kind: 'user' | 'admin'): KnownToken => {
  const digest = digestOf(token);
  const tokenId = digest.toString('hex').slice(0, 16);
  const scopes: Principal['scopes'] = kind === 'admin' ? ALL_SCOPES : ['read', 'run'];
  return { digest, principal: { name: `${kind}-${tokenId.slice(0, 8)}`, scopes, tokenId } };
};

/** Of tokens as they are configured. */
export const tokenTable = (tokens: {
  readonly user: readonly string[];
  readonly admin: readonly string[];
}): TokenTable => ({
  // Administrators first: a token named in both lists has the wider scope.
  known: [
    ...tokens.admin.filter((token) => token !== '').map((token) => knownToken(token, 'admin')),
    ...tokens.user.filter((token) => token !== '').map((token) => knownToken(token, 'user')),
  ],
  hasUserTokens: tokens.user.some((token) => token !== ''),
});

/** Looks at every known digest whatever matches, so that time tells nothing. */
const lookUp = (table: TokenTable, digest: Buffer): Principal | undefined => {
  let found: Principal | undefined;
  for (const known of table.known) if (timingSafeEqual(known.digest, digest)) found ??= known.principal;
  return found;
};

/** What a bare token may do; undefined where it is not known. */
export const principalOf = (table: TokenTable, token: string): Principal | undefined => lookUp(table, digestOf(token));

/** The same for a caller who may be trying tokens out. RATE_LIMIT_EXCEEDED. */
export const checkToken = (
  table: TokenTable,
  guard: LoginGuard,
  address: string,
  token: string,
): Principal | undefined => {
  const digest = digestOf(token);
  const name = digest.toString('latin1');
  guard.enter(address, name);
  const principal = lookUp(table, digest);
  if (principal === undefined) guard.fail();
  else guard.pass(address, name);
  return principal;
};

const cookieToken = (header: string | undefined): string | undefined => {
  for (const part of (header ?? '').split(';')) {
    const equals = part.indexOf('=');
    if (equals > 0 && part.slice(0, equals).trim() === AUTH_COOKIE) return part.slice(equals + 1).trim();
  }
  return undefined;
};

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** A browser adds cookies by itself, so a cookie counts only where our own page or an allowed one made the request. */
const cookieMayCount = (request: IncomingMessage, site: Site): boolean => {
  if (site.origin !== undefined) return true;
  if (!SAFE_METHODS.has(request.method ?? '')) return false;
  // Browsers leave this header out on plain HTTP that is not loopback; SameSite=Strict guards there.
  const from = request.headers['sec-fetch-site'];
  return from === undefined || from === 'same-origin' || from === 'none';
};

export interface AuthenticateOptions {
  readonly table: TokenTable;
  readonly loopbackBind: boolean;
  readonly required: boolean;
  readonly open: boolean;
  readonly oldCookies: boolean;
  readonly guard: LoginGuard;
  /** What the guard counts by. */
  readonly address: string;
}

/**
 * Who is calling. A route of scope `open` may be called by nobody, but a wrong token is refused there too.
 * AUTHENTICATION_FAILED for a missing or unknown token; RATE_LIMIT_EXCEEDED after too many unknown ones, unseen;
 * FORBIDDEN for a good cookie on a request of unclear origin.
 *
 * Without user tokens a caller on this machine that came over a loopback bind, under a loopback name and not through
 * a proxy, is `local` (read, run) whatever Bearer it sends, so that a fresh server can be tried with any curl line.
 */
export const authenticate = (request: IncomingMessage, site: Site, options: AuthenticateOptions): Principal => {
  if (!options.required) return ANYONE;
  const { table, guard, address } = options;
  const { authorization, cookie } = request.headers;
  const bearer = authorization === undefined ? undefined : (/^bearer +(\S+) *$/iu.exec(authorization)?.[1] ?? '');
  const token = bearer ?? cookieToken(cookie);
  const digest = token === undefined ? undefined : digestOf(token);
  const name = digest?.toString('latin1') ?? '';
  if (digest !== undefined) {
    const isKnown = guard.enter(address, name);
    const principal = lookUp(table, digest);
    if (principal !== undefined) {
      if (!isKnown) guard.pass(address, name);
      if (bearer === undefined && !cookieMayCount(request, site)) {
        throw new CloutError('FORBIDDEN', 'A cookie is not enough for this request', {
          hint: 'Send the Origin header of this server, or a Bearer token',
        });
      }
      return principal;
    }
  }
  const proxied = request.headers['x-forwarded-for'] !== undefined || request.headers['forwarded'] !== undefined;
  const local = options.loopbackBind && site.loopbackHost && !proxied && isLoopback(request.socket.remoteAddress ?? '');
  if (!table.hasUserTokens && local) {
    if (digest !== undefined) guard.tolerate(address, name);
    return LOCAL;
  }
  if (token !== undefined) guard.fail();
  if (options.open && (token === undefined || (bearer === undefined && options.oldCookies))) return NOBODY;
  throw new CloutError('AUTHENTICATION_FAILED', 'Invalid or missing authentication token', {
    details: { provided: token !== undefined },
  });
};
