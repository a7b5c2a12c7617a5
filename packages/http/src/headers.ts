import type { ServerResponse } from 'node:http';
import { API_VERSION } from '@cloutagent/contract';
import type { Site } from './site.ts';

/** Every answer, errors and assets included. Seed 002 "Default Security Headers" without what weakens or is dead. */
const STANDARD: Readonly<Record<string, string>> = {
  'API-Version': API_VERSION,
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'strict-origin-when-cross-origin',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

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
].join(', ');

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

export const setStandardHeaders = (response: ServerResponse, requestId: string): void => {
  for (const [name, value] of Object.entries(STANDARD)) response.setHeader(name, value);
  response.setHeader('X-Request-Id', requestId);
  // The answer depends on it whether or not one was sent, and caches must know.
  response.setHeader('Vary', 'Origin');
};

/** CORS headers for an allowed foreign origin; same-origin requests need none. */
export const setCorsHeaders = (response: ServerResponse, site: Site, preflight: boolean): void => {
  if (!site.crossOrigin || site.origin === undefined) return;
  response.setHeader('Access-Control-Allow-Origin', site.origin);
  response.setHeader('Access-Control-Allow-Credentials', 'true');
  if (!preflight) {
    response.setHeader('Access-Control-Expose-Headers', EXPOSE_HEADERS);
    return;
  }
  response.setHeader('Access-Control-Allow-Methods', 'GET, POST, DELETE, OPTIONS');
  response.setHeader('Access-Control-Allow-Headers', ALLOW_HEADERS);
  response.setHeader('Access-Control-Max-Age', '86400');
};
