import type { IncomingMessage, ServerResponse } from 'node:http';
import { API_VERSION } from '@cloutagent/contract';
import type { Site } from './site.ts';

/** Every answer, errors and assets included. */
const STANDARD = [
  ['API-Version', API_VERSION],
  ['Cache-Control', 'no-store'],
  // The answer depends on it whether or not one was sent, and caches must know.
  ['Vary', 'Origin'],
] as const;

/** Seed 002 "Default Security Headers" without what weakens or is dead. */
const SECURITY = [
  [
    'Content-Security-Policy',
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  ],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Referrer-Policy', 'strict-origin-when-cross-origin'],
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'DENY'],
] as const;

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

export const setStandardHeaders = (
  response: ServerResponse,
  requestId: string,
  options: { readonly security: boolean; readonly secure: boolean },
): void => {
  for (const [name, value] of STANDARD) response.setHeader(name, value);
  response.setHeader('X-Request-Id', requestId);
  if (!options.security) return;
  for (const [name, value] of SECURITY) response.setHeader(name, value);
  // Over plain HTTP browsers ignore it, and a later TLS proxy of the same name would be bound by it.
  if (options.secure) response.setHeader('Strict-Transport-Security', 'max-age=31536000; includeSubDomains');
};

/** Clients of the stateless era send parameters as `Mcp-Param-…`, whose names nobody can list. */
const mcpHeaders = (requested: string | undefined): readonly string[] =>
  (requested ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => /^mcp-[a-z0-9-]{1,100}$/iu.test(name))
    .slice(0, 50);

/** CORS headers for an allowed foreign origin; same-origin requests need none. Those of a preflight say what it may send. */
export const setCorsHeaders = (response: ServerResponse, site: Site, preflight?: IncomingMessage): void => {
  if (!site.crossOrigin || site.origin === undefined) return;
  response.setHeader('Access-Control-Allow-Origin', site.origin);
  response.setHeader('Access-Control-Allow-Credentials', 'true');
  if (preflight === undefined) {
    response.setHeader('Access-Control-Expose-Headers', EXPOSE_HEADERS);
    return;
  }
  response.setHeader('Access-Control-Allow-Methods', 'GET, POST, DELETE, OPTIONS');
  const allowed = [...ALLOW_HEADERS, ...mcpHeaders(preflight.headers['access-control-request-headers'])];
  response.setHeader('Access-Control-Allow-Headers', allowed.join(', '));
  response.setHeader('Access-Control-Max-Age', '86400');
};
