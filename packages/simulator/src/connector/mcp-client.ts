import { PRODUCT_VERSION } from '@cloutagent/contract';
import { decodeSse } from '@cloutagent/kit';
import { isRecord } from '../request.ts';
import type { RemoteTool } from './types.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface RemoteResult {
  readonly content: readonly { readonly type: 'text'; readonly text: string; readonly citations: null }[];
  readonly is_error: boolean;
}

/** One MCP server over Streamable HTTP, in the era that it speaks. */
export interface McpSession {
  tools(): Promise<readonly RemoteTool[]>;
  call(name: string, input: Fields): Promise<RemoteResult>;
  close(): Promise<void>;
}

/** What goes wrong between us and the server, in words for the caller of the API. */
export class McpProblem extends Error {
  /** The server understood that it was asked and does not take the question. */
  readonly isRefusal: boolean;

  constructor(message: string, isRefusal = false, options?: ErrorOptions) {
    super(message, options);
    this.isRefusal = isRefusal;
  }
}

export interface McpAddress {
  readonly url: string;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
}

/** Since this revision there are no sessions: each request says by itself what it is. */
const MODERN = '2026-07-28';
const LEGACY = '2025-11-25';
const CLIENT = { name: 'cloutagent-simulator', version: PRODUCT_VERSION };
/** As the real connector: a server that does not answer fails the request. */
const PATIENCE_MS = 30_000;
/** A server with more pages lists in circles. */
const MOST_PAGES = 50;

/** How requests are written in one era. */
interface Wire {
  readonly headers: (method: string, params: Fields) => Readonly<Record<string, string>>;
  readonly params: (params: Fields) => Fields;
}

type Ask = (
  wire: Wire,
  method: string,
  params: Fields,
) => Promise<{ readonly result: Fields; readonly headers: Headers }>;

const modern: Wire = {
  headers: (method, { name }) => ({
    'mcp-protocol-version': MODERN,
    'mcp-method': method,
    ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
  }),
  params: (params) => ({
    ...params,
    _meta: {
      'io.modelcontextprotocol/protocolVersion': MODERN,
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': CLIENT,
    },
  }),
};

/** Asks a server what it speaks (`server/discover`), and initializes a session with one that knows no such question. */
export const openMcp = async (address: McpAddress): Promise<McpSession> => {
  const ask = askOf(address);
  if (await speaksModern(ask))
    return sessionOf(
      (method, params) => ask(modern, method, params),
      async () => undefined,
    );
  return openLegacy(address, ask);
};

const speaksModern = async (ask: Ask): Promise<boolean> => {
  try {
    const { result } = await ask(modern, 'server/discover', {});
    return Array.isArray(result['supportedVersions']) && result['supportedVersions'].includes(MODERN);
  } catch (error) {
    if (error instanceof McpProblem && error.isRefusal) return false;
    throw error;
  }
};

const openLegacy = async (address: McpAddress, ask: Ask): Promise<McpSession> => {
  let session: string | null = null;
  let version = LEGACY;
  const headers = () => ({
    'mcp-protocol-version': version,
    ...(session === null ? {} : { 'mcp-session-id': session }),
  });
  const wire: Wire = { headers, params: (params) => params };
  const welcome = await ask(wire, 'initialize', { protocolVersion: LEGACY, capabilities: {}, clientInfo: CLIENT });
  session = welcome.headers.get('mcp-session-id');
  if (typeof welcome.result['protocolVersion'] === 'string') version = welcome.result['protocolVersion'];
  await (await post(address, headers(), { method: 'notifications/initialized' })).body?.cancel();
  return sessionOf(
    (method, params) => ask(wire, method, params),
    async () => {
      if (session === null) return;
      const ended = await fetch(address.url, {
        method: 'DELETE',
        headers: { ...commonHeaders(address), ...headers() },
        redirect: 'error',
      }).catch(() => undefined);
      // The session ends by itself where the server no longer listens.
      await ended?.body?.cancel();
    },
  );
};

const askOf = (address: McpAddress): Ask => {
  let nextId = 1;
  return async (wire, method, params) => {
    const id = nextId;
    nextId += 1;
    const response = await post(address, wire.headers(method, params), { id, method, params: wire.params(params) });
    const answer = await readAnswer(response, id);
    if (isRecord(answer['error'])) throw new McpProblem(`${method}: ${String(answer['error']['message'])}`, true);
    return { result: isRecord(answer['result']) ? answer['result'] : {}, headers: response.headers };
  };
};

const post = async (
  address: McpAddress,
  headers: Readonly<Record<string, string>>,
  message: Fields,
): Promise<Response> => {
  let response: Response;
  try {
    response = await fetch(address.url, {
      method: 'POST',
      headers: { ...commonHeaders(address), ...headers },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
      // An address that sends elsewhere is not the one that was named.
      redirect: 'error',
      signal: AbortSignal.any([address.signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
  } catch (cause) {
    throw new McpProblem(`Connection error: ${messageOf(cause)}`, false, { cause });
  }
  if (response.ok) return response;
  await response.body?.cancel();
  const { status } = response;
  if (status === 401 || status === 403) throw new McpProblem(`Authentication error: HTTP ${status}`);
  throw new McpProblem(`Server error: HTTP ${status}`, status < 500);
};

const sessionOf = (
  ask: (method: string, params: Fields) => Promise<{ readonly result: Fields }>,
  close: () => Promise<void>,
): McpSession => ({
  async tools() {
    const found: RemoteTool[] = [];
    let cursor: unknown;
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const { result } = await ask('tools/list', cursor === undefined ? {} : { cursor });
      found.push(...(Array.isArray(result['tools']) ? result['tools'].filter(isRecord).map(toTool) : []));
      cursor = result['nextCursor'];
      if (cursor === undefined || cursor === null) break;
    }
    return found;
  },
  async call(name, input) {
    const { result } = await ask('tools/call', { name, arguments: input });
    // There is nobody whom it could ask.
    if (result['resultType'] === 'input_required') throw new McpProblem(`tools/call: ${name} asks for input`);
    return toResult(result);
  },
  close,
});

const commonHeaders = ({ token }: McpAddress): Record<string, string> => ({
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
});

/** The answer to one request, sent alone or in a stream with other messages before it. */
const readAnswer = async (response: Response, id: number): Promise<Fields> => {
  try {
    if (response.headers.get('content-type')?.includes('text/event-stream') !== true) {
      const answer: unknown = await response.json();
      if (isRecord(answer)) return answer;
    } else if (response.body !== null) {
      for await (const { data } of decodeSse(response.body.pipeThrough(new TextDecoderStream()))) {
        const message: unknown = data === '' ? undefined : JSON.parse(data);
        if (isRecord(message) && message['id'] === id) return message;
      }
    }
  } catch (cause) {
    throw new McpProblem(`Invalid answer: ${messageOf(cause)}`, false, { cause });
  }
  throw new McpProblem('Invalid answer: it is none to the request');
};

const toTool = (tool: Fields): RemoteTool => ({
  name: String(tool['name']),
  description: typeof tool['description'] === 'string' ? tool['description'] : null,
  input_schema: isRecord(tool['inputSchema']) ? tool['inputSchema'] : { type: 'object' },
});

/** The API gives on text alone; what a result has in structured form stands in its text too. */
const toResult = (result: Fields): RemoteResult => {
  const parts = Array.isArray(result['content']) ? result['content'].filter(isRecord) : [];
  const texts = parts.flatMap((part) => (typeof part['text'] === 'string' ? [part['text']] : []));
  return {
    content: texts.map((text) => ({ type: 'text', text, citations: null })),
    is_error: result['isError'] === true,
  };
};

const messageOf = (error: unknown): string => {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return inner instanceof Error ? inner.message : String(inner);
};
