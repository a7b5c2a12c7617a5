import type { IncomingMessage } from 'node:http';
import { API_VERSION } from '@cloutagent/contract';
import { Head } from './head.ts';
import type { Site } from './site.ts';

/** Every answer, errors and assets included. */
const STANDARD: Readonly<Record<string, string>> = {
  'API-Version': API_VERSION,
  'Cache-Control': 'no-store',
  // The answer depends on it whether or not one was sent, and caches must know.
  Vary: 'Origin',
};

/** Seed 002 "Default Security Headers" without what weakens or is dead. */
const SECURITY: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'strict-origin-when-cross-origin',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

/** Over plain HTTP browsers ignore it, and a later TLS proxy of the same name would be bound by it. */
const OVER_TLS = { 'Strict-Transport-Security': 'max-age=31536000; includeSubDomains' };

const ALLOW_HEADERS = [
  'Content-Type',
  'Authorization',
  'Cache-Control',
  'API-Version',
  'Idempotency-Key',
  'Last-Event-ID',
  'Mcp-Method',
  'Mcp-Name',
  'Mcp-Session-Id',
  'MCP-Protocol-Version',
  'X-Debug',
];

const EXPOSE_HEADERS = [
  'API-Version',
  'Mcp-Session-Id',
  'Retry-After',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'X-RateLimit-Retry-After',
  'X-RateLimit-Window',
  'X-Request-Id',
].join(', ');

/** Makes the head of each answer of a front; `security` false leaves CSP and its companions to a proxy. */
export const openHeads = (security: boolean): ((requestId: string, secure: boolean) => Head) => {
  const plain = security ? { ...STANDARD, ...SECURITY } : STANDARD;
  const overTls = security ? { ...plain, ...OVER_TLS } : plain;
  const lists = { plain: Object.entries(plain).flat(), overTls: Object.entries(overTls).flat() };
  return (requestId, secure) => {
    const head = new Head(secure ? lists.overTls : lists.plain);
    head.set('X-Request-Id', requestId);
    return head;
  };
};

/** Clients of the stateless era send parameters as `Mcp-Param-…`, whose names nobody can list. */
const mcpHeaders = (requested: string | undefined): readonly string[] =>
  (requested ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => /^mcp-[a-z0-9-]{1,100}$/iu.test(name))
    .slice(0, 50);

/** CORS headers for an allowed foreign origin; same-origin requests need none. Those of a preflight say what it may send. */
export const setCorsHeaders = (head: Head, site: Site, preflight?: IncomingMessage): void => {
  if (!site.crossOrigin || site.origin === undefined) return;
  head.set('Access-Control-Allow-Origin', site.origin);
  head.set('Access-Control-Allow-Credentials', 'true');
  if (preflight === undefined) {
    head.set('Access-Control-Expose-Headers', EXPOSE_HEADERS);
    return;
  }
  head.set('Access-Control-Allow-Methods', 'GET, POST, DELETE, OPTIONS');
  const allowed = [...ALLOW_HEADERS, ...mcpHeaders(preflight.headers['access-control-request-headers'])];
  head.set('Access-Control-Allow-Headers', allowed.join(', '));
  head.set('Access-Control-Max-Age', '86400');
};
