import type { RequestContext } from '@cloutagent/http';
import {
  CLIENT_CAPABILITIES_META_KEY,
  classifyInboundRequest,
  PROTOCOL_VERSION_META_KEY,
  UnsupportedProtocolVersionError,
  type JSONRPCNotification,
  type JSONRPCRequest,
} from './sdk.ts';
import { decodeHeaderValue } from './header-value.ts';
import { CODE, isObject, MODERN_REVISION, type RpcError } from './wire.ts';

/** Which era a body belongs to, or why it belongs to none. */
export type Route =
  | { readonly kind: 'legacy' }
  | { readonly kind: 'modern'; readonly message: JSONRPCRequest | JSONRPCNotification }
  | { readonly kind: 'refuse'; readonly status: number; readonly error: RpcError };

type Headers = RequestContext['headers'];

const headerOf = (headers: Headers, name: string): string | undefined => {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
};

/** The member of the parameters that `Mcp-Name` repeats, by method. */
const NAMED: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};

/** A header that is missing or differs from the body. */
export const mismatch = (header: string, body: string): Extract<Route, { kind: 'refuse' }> => ({
  kind: 'refuse',
  status: 400,
  error: {
    code: CODE.headerMismatch,
    message: `Bad Request: the header ${header} is missing or differs from the body: ${body}`,
    data: { mismatch: { header, body } },
  },
});

/** Headers that every request of the stateless era carries, so that gateways need not read its body. */
const checkHeaders = (headers: Headers, { method, params }: JSONRPCRequest): Route | undefined => {
  if (headerOf(headers, 'mcp-protocol-version') === undefined) {
    return mismatch('MCP-Protocol-Version', MODERN_REVISION);
  }
  if (headerOf(headers, 'mcp-method')?.trim() !== method) return mismatch('Mcp-Method', method);
  const named = Object.hasOwn(NAMED, method) ? params?.[NAMED[method] ?? ''] : undefined;
  if (typeof named !== 'string') return undefined;
  const sent = headerOf(headers, 'mcp-name');
  return sent !== undefined && decodeHeaderValue(sent) === named ? undefined : mismatch('Mcp-Name', named);
};

const unsupported = (requested: string): Route => {
  const { code, message, data } = new UnsupportedProtocolVersionError({
    supported: [MODERN_REVISION],
    requested,
  });
  return { kind: 'refuse', status: 400, error: { code, message, data } };
};

/** A well-formed request of the stateless era, which most are: nothing here needs the SDK's long way. */
const isPlainModern = (headers: Headers, body: Readonly<Record<string, unknown>>): boolean => {
  const { params, method, id } = body;
  const meta = isObject(params) ? params['_meta'] : undefined;
  return (
    isObject(meta) &&
    meta[PROTOCOL_VERSION_META_KEY] === MODERN_REVISION &&
    isObject(meta[CLIENT_CAPABILITIES_META_KEY]) &&
    headers['mcp-protocol-version'] === MODERN_REVISION &&
    headers['mcp-method'] === method &&
    typeof method === 'string' &&
    (typeof id === 'string' || Number.isInteger(id))
  );
};

/** A body that says nothing of the stateless era, in a request that does not either. */
const isPlainLegacy = (headers: Headers, body: Readonly<Record<string, unknown>>): boolean => {
  const { params } = body;
  const meta = isObject(params) ? params['_meta'] : undefined;
  const claims = isObject(meta) && Object.hasOwn(meta, PROTOCOL_VERSION_META_KEY);
  const version = headerOf(headers, 'mcp-protocol-version')?.trim();
  return !claims && (version === undefined || (/^\d{4}-\d{2}-\d{2}$/u.test(version) && version < MODERN_REVISION));
};

/**
 * Tells the two eras apart (2026-07-28, basic/transports): the body decides by its `_meta`, the headers must agree.
 * The clear cases are decided here, the others by the SDK's own rules.
 */
export const routeOf = (headers: Headers, body: unknown): Route => {
  if (isObject(body)) {
    if (isPlainLegacy(headers, body)) return { kind: 'legacy' };
    if (isPlainModern(headers, body)) {
      // Every member that a request has was looked at.
      const message = body as unknown as JSONRPCRequest;
      return checkHeaders(headers, message) ?? { kind: 'modern', message };
    }
  }
  const version = headerOf(headers, 'mcp-protocol-version');
  const method = headerOf(headers, 'mcp-method');
  const outcome = classifyInboundRequest({
    httpMethod: 'POST',
    ...(version === undefined ? {} : { protocolVersionHeader: version }),
    ...(method === undefined ? {} : { mcpMethodHeader: method }),
    body,
  });
  if (outcome.kind === 'legacy') return { kind: 'legacy' };
  if (outcome.kind === 'reject') {
    const { httpStatus, code, message, data } = outcome;
    return {
      kind: 'refuse',
      status: httpStatus,
      error: { code, message, ...(data === undefined ? {} : { data }) },
    };
  }
  const { revision } = outcome.classification;
  if (revision !== MODERN_REVISION) return unsupported(revision ?? 'unknown');
  if (outcome.messageKind === 'notification') return { kind: 'modern', message: outcome.message };
  return checkHeaders(headers, outcome.message) ?? { kind: 'modern', message: outcome.message };
};
