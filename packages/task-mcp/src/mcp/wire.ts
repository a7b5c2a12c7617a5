import type { JSONRPCMessage, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse } from './sdk.ts';

/** The revision without sessions and without `initialize`. */
export const MODERN_REVISION = '2026-07-28';

export type Era = 'legacy' | 'modern';
export type RequestId = JSONRPCRequest['id'];

/** Codes of JSON-RPC, of the specification, and -32000 and -32001 as its SDKs use them. */
export const CODE = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  refused: -32000,
  noSession: -32001,
  headerMismatch: -32020,
  missingCapability: -32021,
  unsupportedVersion: -32022,
} as const;

/** Key of the error of our table in the result of a failed tool: MCP keeps `_meta` for additions. */
export const ERROR_META = 'io.cloutagent/error';

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

export const isRequestId = (value: unknown): value is RequestId => typeof value === 'string' || Number.isInteger(value);

/** One message that came in, by what it asks for. */
export type Incoming =
  | { readonly kind: 'request'; readonly message: JSONRPCRequest }
  | { readonly kind: 'notification'; readonly message: JSONRPCNotification }
  | { readonly kind: 'response'; readonly message: JSONRPCResponse };

/** Are these all the members that it has? */
export const hasOnly = (value: Readonly<Record<string, unknown>>, ...names: readonly string[]): boolean => {
  for (const name in value) if (!names.includes(name)) return false;
  return true;
};

/** The SDK drops a request without a word where this is not so, and its sender would wait for ever. */
const isWellFormed = (message: Readonly<Record<string, unknown>>): boolean => {
  const { params } = message;
  const meta = isObject(params) ? params['_meta'] : undefined;
  const token = isObject(meta) ? meta['progressToken'] : undefined;
  const isMeta = meta === undefined || isObject(meta);
  return isMeta && (token === undefined || isRequestId(token)) && hasOnly(message, 'jsonrpc', 'id', 'method', 'params');
};

/**
 * Tells the messages of JSON-RPC apart by their members alone, which costs a fiftieth of the SDK's schemas; undefined
 * for what is none. The SDK parses each message again before a handler sees it.
 */
export const incoming = (value: unknown): Incoming | undefined => {
  if (!isObject(value) || value['jsonrpc'] !== '2.0') return undefined;
  const { method, id, params } = value;
  if (params !== undefined && !isObject(params)) return undefined;
  if (typeof method === 'string') {
    // The members that a message of this kind must have were looked at above; the rest is checked by the SDK.
    if (isRequestId(id)) {
      return isWellFormed(value) ? { kind: 'request', message: value as unknown as JSONRPCRequest } : undefined;
    }
    return id === undefined ? { kind: 'notification', message: value as unknown as JSONRPCNotification } : undefined;
  }
  const isAnswer = isObject(value['result']) || isObject(value['error']);
  return isAnswer && method === undefined && (isRequestId(id) || id === undefined || id === null)
    ? { kind: 'response', message: value as unknown as JSONRPCResponse }
    : undefined;
};

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

export const errorAnswer = <T extends RequestId | null>(id: T, { code, message, data }: RpcError) => ({
  jsonrpc: '2.0' as const,
  id,
  error: { code, message, ...(data === undefined ? {} : { data }) },
});

/** Id of a body that is refused whole, as far as it has one. */
export const idIn = (body: unknown): RequestId | null => {
  const id = isObject(body) ? body['id'] : null;
  return isRequestId(id) ? id : null;
};

export const isAnswer = (message: JSONRPCMessage): message is JSONRPCResponse => !('method' in message);
