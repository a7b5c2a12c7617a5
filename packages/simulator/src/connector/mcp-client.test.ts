import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { openMcp } from './mcp-client.ts';

interface Asked {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly params: Readonly<Record<string, unknown>>;
}
interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close().closeAllConnections();
});

/** A server that is written for one test. */
const serve = async (answer: (asked: Asked) => Answer) => {
  const seen: Asked[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const rpc = text === '' ? {} : (JSON.parse(text) as { id?: number; method?: string; params?: Asked['params'] });
    const asked = { method: rpc.method ?? request.method ?? '', headers: request.headers, params: rpc.params ?? {} };
    seen.push(asked);
    const { status = 200, headers = {}, body } = answer(asked);
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(body === undefined ? '' : JSON.stringify({ jsonrpc: '2.0', id: rpc.id, ...(body as object) }));
  };
  const server = createServer((request, response) => void handle(request, response)).listen(0, '127.0.0.1');
  open.push(server);
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  return { seen, address: { url, token: 'secret', signal: new AbortController().signal } };
};

const TOOLS = [{ name: 'look', description: 'Looks', inputSchema: { type: 'object' } }];
const result = (value: object): Answer => ({ body: { result: { resultType: 'complete', ...value } } });
const content = [{ type: 'text', text: 'seen' }];

describe('the client of the connector', () => {
  it('[C9.simulator] asks a server since 2026-07-28 without a session, each request complete in itself', async () => {
    const { seen, address } = await serve(({ method }) => {
      if (method === 'server/discover') return result({ supportedVersions: ['2026-07-28'], capabilities: {} });
      if (method === 'tools/list') return result({ tools: TOOLS });
      return method === 'tools/call' ? result({ content }) : { status: 400 };
    });
    const session = await openMcp(address);
    expect(await session.tools()).toEqual([{ name: 'look', description: 'Looks', input_schema: { type: 'object' } }]);
    expect(await session.call('look', { at: 'it' })).toMatchObject({ content: [{ text: 'seen' }], is_error: false });
    await session.close();
    expect(seen.map(({ method }) => method)).toEqual(['server/discover', 'tools/list', 'tools/call']);
    for (const { method, headers, params } of seen) {
      expect(headers).toMatchObject({
        authorization: 'Bearer secret',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': method,
      });
      expect(params['_meta']).toMatchObject({
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': {},
      });
    }
    expect(seen[2]?.headers['mcp-name']).toBe('look');
    expect(seen[2]?.params).toMatchObject({ name: 'look', arguments: { at: 'it' } });
  });

  it.each([
    ['with 404', { status: 404 }],
    ['with 400', { status: 400 }],
    ['as an unknown method', { body: { error: { code: -32601, message: 'Method not found' } } }],
    ['with other versions', result({ supportedVersions: ['2099-01-01'] })],
  ])('[C9.simulator] initializes a session with one of before that answers the question %s', async (_how, refusal) => {
    const { seen, address } = await serve(({ method }) => {
      if (method === 'server/discover') return refusal;
      if (method === 'initialize')
        return { headers: { 'mcp-session-id': 's1' }, body: { result: { protocolVersion: '2025-06-18' } } };
      if (method === 'tools/list') return { body: { result: { tools: TOOLS } } };
      return method === 'DELETE' ? { status: 204 } : { status: 202 };
    });
    const session = await openMcp(address);
    expect((await session.tools()).map(({ name }) => name)).toEqual(['look']);
    await session.close();
    expect(seen.slice(1).map(({ method }) => method)).toEqual([
      'initialize',
      'notifications/initialized',
      'tools/list',
      'DELETE',
    ]);
    expect(seen[3]?.headers).toMatchObject({ 'mcp-session-id': 's1', 'mcp-protocol-version': '2025-06-18' });
    expect(seen[3]?.params).toEqual({});
  });

  it.each([
    [{ status: 401 }, 'Authentication error: HTTP 401'],
    [{ status: 503 }, 'Server error: HTTP 503'],
  ])('takes %j of the question for an answer to the request', async (answer, message) => {
    const { seen, address } = await serve(() => answer);
    await expect(openMcp(address)).rejects.toThrow(message);
    expect(seen).toHaveLength(1);
  });

  it('cannot be asked for input', async () => {
    const { address } = await serve(({ method }) =>
      method === 'server/discover'
        ? result({ supportedVersions: ['2026-07-28'] })
        : result({ resultType: 'input_required', requestState: 'x' }),
    );
    await expect((await openMcp(address)).call('look', {})).rejects.toThrow('look asks for input');
  });
});
