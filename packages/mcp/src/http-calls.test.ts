import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { call, closeAll, deps, later, openPool, serve, serveLegacy, targetOf, TOOLS, type Rpc } from './http.fake.ts';
import { openHttpServer } from './http.ts';
import type { Elicit } from './types.ts';

afterEach(closeAll);

test('[E6.health] a server that speaks an older era than before is found again', async () => {
  const server = await serveLegacy();
  let modern = true;
  const forward = async (request: IncomingMessage, response: ServerResponse, body: string): Promise<void> => {
    const headers = new Headers({ accept: 'application/json, text/event-stream', 'content-type': 'application/json' });
    const session = request.headers['mcp-session-id'];
    if (typeof session === 'string') headers.set('mcp-session-id', session);
    const init = { method: request.method ?? 'GET', headers };
    const answer = await fetch(server.url, body === '' ? init : { ...init, body });
    const given = answer.headers.get('mcp-session-id');
    response.writeHead(answer.status, {
      'content-type': 'application/json',
      ...(given === null ? {} : { 'mcp-session-id': given }),
    });
    response.end(await answer.text());
  };
  const answerModern = (response: ServerResponse, { id, method }: Rpc): void => {
    const cached = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' };
    const found = { ...cached, supportedVersions: ['2026-07-28'], capabilities: { tools: {} } };
    const result = method === 'server/discover' ? found : { ...cached, tools: TOOLS };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
  };
  const url = await serve((request, response) => {
    let text = '';
    request.on('data', (chunk) => (text += String(chunk)));
    request.on('end', () => {
      if (modern) answerModern(response, JSON.parse(text) as Rpc);
      else void forward(request, response, text).catch(() => response.destroy());
    });
  });
  const pool = openPool(targetOf(url));
  const held = await pool.open([{ id: 'far' }]);
  const era = (): string | undefined => pool.reports()[0]?.connection?.era;
  expect(era()).toBe('modern');
  modern = false;
  for (let look = 0; look < 3 && era() !== 'legacy'; look += 1) await pool.check();
  expect(era()).toBe('legacy');
  expect((await call(held, 'add')).isError).toBe(false);
});

test('[E6.elicitation] a question in the stream of a call is put to whoever made that call', async () => {
  const streams = new Map<string, ServerResponse>();
  const event = (message: object): string =>
    `event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`;
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const rpc = JSON.parse(text === '' ? '{}' : text) as Rpc & { readonly result?: { content?: { text?: string } } };
    const answer = (body: object, status = 200): void =>
      void response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(JSON.stringify({ jsonrpc: '2.0', id: rpc.id, ...body }));
    if (request.method !== 'POST') return void response.writeHead(405).end();
    if (rpc.method === 'initialize')
      return answer({
        result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } },
      });
    if (rpc.method === 'tools/list') return answer({ result: { tools: TOOLS } });
    if (rpc.method === 'server/discover') return answer({ error: { code: -32_601, message: 'no' } }, 400);
    if (rpc.method === 'tools/call') {
      streams.set(`ask-${rpc.id}`, response.writeHead(200, { 'content-type': 'text/event-stream' }));
      const requestedSchema = { type: 'object', properties: { text: { type: 'string' } } };
      const params = { message: `for ${rpc.params?.name ?? ''}`, requestedSchema };
      // Both ask before either is answered.
      if (streams.size < 2) return;
      for (const [id, stream] of streams) stream.write(event({ id, method: 'elicitation/create', params }));
      return;
    }
    const stream = streams.get(String(rpc.id));
    const said = rpc.result?.content?.text ?? '';
    stream?.end(event({ id: Number(String(rpc.id).slice(4)), result: { content: [{ type: 'text', text: said }] } }));
    response.writeHead(202).end();
  };
  const url = await serve((request, response) => void handle(request, response).catch(() => response.destroy()));
  const connection = await openHttpServer(targetOf(url), { ...deps, elicit: async () => ({ action: 'cancel' }) });
  later(() => connection.close());
  const said = await Promise.all(
    ['add', 'read'].map(async (tool) => {
      const elicit: Elicit = async () => ({ action: 'accept', content: { text: `answer to ${tool}` } });
      const options = { signal: new AbortController().signal, idempotencyKey: tool, elicit };
      return (await connection.call(tool, {}, options)).content[0]?.['text'];
    }),
  );
  expect(said).toEqual(['answer to add', 'answer to read']);
});
