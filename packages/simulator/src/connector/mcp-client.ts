import { PRODUCT_VERSION } from '@cloutagent/contract';
import { decodeSse } from '@cloutagent/kit';
import { isRecord } from '../request.ts';
import type { RemoteTool } from './types.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface RemoteResult {
  readonly content: readonly { readonly type: 'text'; readonly text: string; readonly citations: null }[];
  readonly is_error: boolean;
}

/** One session with an MCP server over Streamable HTTP. */
export interface McpSession {
  tools(): Promise<readonly RemoteTool[]>;
  call(name: string, input: Fields): Promise<RemoteResult>;
  close(): Promise<void>;
}

/** What goes wrong between us and the server, in words for the caller of the API. */
export class McpProblem extends Error {}

export interface McpAddress {
  readonly url: string;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
}

const PROTOCOL = '2025-11-25';
/** As the real connector: a server that does not answer fails the request. */
const PATIENCE_MS = 30_000;
/** A server with more pages lists in circles. */
const MOST_PAGES = 50;

/** Opens a session: initialize, and the word that it was understood. */
export const openMcp = async (address: McpAddress): Promise<McpSession> => {
  let sessionId: string | undefined;
  let version = PROTOCOL;
  let nextId = 1;

  const post = async (message: Fields): Promise<Response> => {
    let response: Response;
    try {
      response = await fetch(address.url, {
        method: 'POST',
        headers: headersOf(address, version, sessionId),
        body: JSON.stringify({ jsonrpc: '2.0', ...message }),
        // An address that sends elsewhere is not the one that was named.
        redirect: 'error',
        signal: AbortSignal.any([address.signal, AbortSignal.timeout(PATIENCE_MS)]),
      });
    } catch (cause) {
      throw new McpProblem(`Connection error: ${messageOf(cause)}`, { cause });
    }
    if (response.ok) return response;
    await response.body?.cancel();
    const words = response.status === 401 || response.status === 403 ? 'Authentication error' : 'Server error';
    throw new McpProblem(`${words}: HTTP ${response.status}`);
  };

  const ask = async (method: string, params: Fields): Promise<Fields> => {
    const id = nextId;
    nextId += 1;
    const response = await post({ id, method, params });
    sessionId = response.headers.get('mcp-session-id') ?? sessionId;
    const answer = await readAnswer(response, id);
    if (isRecord(answer['error'])) throw new McpProblem(`${method}: ${String(answer['error']['message'])}`);
    return isRecord(answer['result']) ? answer['result'] : {};
  };

  const welcome = await ask('initialize', {
    protocolVersion: PROTOCOL,
    capabilities: {},
    clientInfo: { name: 'cloutagent-simulator', version: PRODUCT_VERSION },
  });
  if (typeof welcome['protocolVersion'] === 'string') version = welcome['protocolVersion'];
  await (await post({ method: 'notifications/initialized' })).body?.cancel();

  return {
    async tools() {
      const found: RemoteTool[] = [];
      let cursor: unknown;
      for (let page = 0; page < MOST_PAGES; page += 1) {
        const listed = await ask('tools/list', cursor === undefined ? {} : { cursor });
        found.push(...(Array.isArray(listed['tools']) ? listed['tools'].filter(isRecord).map(toTool) : []));
        cursor = listed['nextCursor'];
        if (cursor === undefined || cursor === null) break;
      }
      return found;
    },
    async call(name, input) {
      return toResult(await ask('tools/call', { name, arguments: input }));
    },
    async close() {
      if (sessionId === undefined) return;
      const headers = headersOf(address, version, sessionId);
      // The session ends by itself where the server no longer listens.
      const ended = await fetch(address.url, { method: 'DELETE', headers, redirect: 'error' }).catch(() => undefined);
      await ended?.body?.cancel();
    },
  };
};

const headersOf = ({ token }: McpAddress, version: string, sessionId: string | undefined): Record<string, string> => ({
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': version,
  ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  ...(sessionId === undefined ? {} : { 'mcp-session-id': sessionId }),
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
    throw new McpProblem(`Invalid answer: ${messageOf(cause)}`, { cause });
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
