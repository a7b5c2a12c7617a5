import { McpServer } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { allEventsOf, linesOf, serveChanges, serveProject } from './harness.ts';
import { PROTOCOL_VERSIONS } from './mcp/factory.ts';

const open = (input: object) => ({ tool: 'change.open', input: { title: 'T', slug: 'a-change', ...input } });
const PATHS = { root: 'a', proposal: 'a/proposal.md', tasks: 'a/tasks.md' };
const LARGE = expect.stringMatching(/^Response size \(\d\dKB\) exceeds limit of 2KB$/u) as string;
const PATTERN = '^[a-z0-9](?:[a-z0-9\\-]{1,62})[a-z0-9]$';

interface Told {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly details?: Record<string, unknown>;
}

const cases: readonly (readonly [string, unknown, number, Partial<Told>])[] = [
  ['a malformed name', { tool: 'change open!', input: {} }, 400, { code: 'INVALID_TOOL_NAME' }],
  ['an empty name', { tool: '', input: {} }, 400, { code: 'INVALID_TOOL_NAME' }],
  ['an unknown name', { tool: 'change.close', input: {} }, 404, { code: 'TOOL_NOT_FOUND' }],
  ['a name of Object', { tool: 'constructor', input: {} }, 404, { code: 'TOOL_NOT_FOUND' }],
  [
    'a bad slug',
    open({ slug: 'invalid slug!' }),
    400,
    {
      code: 'INVALID_INPUT',
      message: `Invalid input for tool 'change.open': slug: must match pattern '${PATTERN}'`,
      hint: 'Check the input schema and try again',
      details: {
        field: 'slug',
        issue: `must match pattern '${PATTERN}'`,
        value: 'invalid slug!',
        pattern: PATTERN,
        schema_reference: 'https://example.org/task-mcp/change.open.input.schema.json',
      },
    },
  ],
  [
    'a missing title',
    { tool: 'change.open', input: { slug: 'a-change' } },
    400,
    { code: 'INVALID_INPUT', message: "Invalid input for tool 'change.open': title: required field missing" },
  ],
  ['no input', { tool: 'change.open' }, 400, { code: 'INVALID_INPUT' }],
  ['an input that is a list', { tool: 'changes.active', input: [] }, 400, { code: 'INVALID_INPUT' }],
  ['a limit over 200', { tool: 'changes.active', input: { limit: 201 } }, 400, { code: 'INVALID_INPUT' }],
  ['a short ttl', open({ ttl: 59 }), 400, { code: 'INVALID_INPUT' }],
  ['an unknown template', open({ template: 'epic' }), 404, { code: 'TEMPLATE_NOT_FOUND' }],
  [
    'a change that is not there',
    { tool: 'change.archive', input: { slug: 'nobody' } },
    404,
    { code: 'CHANGE_NOT_FOUND' },
  ],
  [
    'a resource that is not there',
    { uri: 'change://nobody/tasks', method: 'resource/read' },
    404,
    { code: 'RESOURCE_NOT_FOUND' },
  ],
  ['malformed JSON', '{"tool":', 400, { code: 'VALIDATION_ERROR' }],
  [
    'another major version',
    { ...open({}), apiVersion: '2.0.0' },
    400,
    { code: 'VALIDATION_ERROR', details: { field: 'apiVersion', value: '2.0.0', supported: ['1.0.0'] } },
  ],
];

describe('[T10.tool-name, T10.template, T10.body-json, T15.unknown-major] errors before the first byte', () => {
  it.each(cases)('[T1.status-before, T2.status-before, T10.sse, T10.ndjson] %s', async (_name, body, status, told) => {
    await using served = await serveProject();
    const complete = {
      error: expect.objectContaining({ hint: expect.any(String) as string, ...told }) as Told,
      requestId: expect.stringMatching(/^req_/u) as string,
      timestamp: expect.any(String) as string,
    };
    for (const path of ['/sse', '/mcp']) {
      const plain = await served.post(path, body);
      expect([plain.status, plain.headers.get('content-type')]).toEqual([status, 'application/json']);
      expect(await plain.json()).toEqual({ apiVersion: '1.0.0', ...complete });

      const stream = await served.post(path, body, { accept: 'text/event-stream' });
      expect([stream.status, stream.headers.get('content-type')]).toEqual([status, 'text/event-stream']);
      const events = await allEventsOf(stream);
      expect(events).toMatchObject([{ event: 'error', id: stream.headers.get('x-request-id') }]);
      const startedAt = expect.any(String) as string;
      expect(JSON.parse(events[0]?.data ?? '')).toEqual({ apiVersion: '1.0.0', ...complete, startedAt });

      const lines = await served.post(path, body, { accept: 'application/x-ndjson' });
      expect(lines.status).toBe(status);
      expect(await linesOf(lines)).toEqual([{ type: 'error', ts: expect.any(Number) as number, ...complete }]);
    }
  });

  it.each(['1', '1.0.0', '1.7.3', null])('[T15.header] takes apiVersion %s', async (apiVersion) => {
    await using served = await serveProject();
    expect((await served.post('/mcp', { tool: 'changes.active', apiVersion })).status).toBe(200);
  });

  it('[T15.header] reads the version of the header too', async () => {
    await using served = await serveProject();
    expect((await served.post('/mcp', { tool: 'changes.active' }, { 'api-version': '3.0.0' })).status).toBe(400);
  });

  it('[T6.exists, T6.null] tells of the change that exists, and reads null as absent', async () => {
    await using served = await serveProject();
    const nulls = { rationale: null, owner: null, ttl: null, template: null };
    expect((await served.post('/sse', open(nulls))).status).toBe(200);
    const again = await served.post('/sse', open({}));
    const { error } = (await again.json()) as { error: Told };
    expect([again.status, error.code]).toEqual([409, 'CHANGE_ALREADY_EXISTS']);
    expect(error.details).toMatchObject({ existing_slug: 'a-change', existing_status: 'draft' });
  });

  it('[T5.bearer] a wrong token has the form that the caller reads', async () => {
    await using served = await serveProject({ front: { tokens: { user: ['right'], admin: [] } } });
    const response = await served.post('/sse', open({}), { accept: 'text/event-stream' });
    expect(response.status).toBe(401);
    expect(await response.text()).toMatch(/^event: error\n[\s\S]*AUTHENTICATION_FAILED/u);
    expect((await served.post('/sse', open({}), { authorization: 'Bearer right' })).status).toBe(200);
  });

  it('[T14.response-size] an answer over the limit is RESPONSE_TOO_LARGE in every form', async () => {
    const text = 'x'.repeat(3000);
    const items = Array.from({ length: 10 }, (_, index) => ({ slug: `change-${index}`, title: text, paths: PATHS }));
    await using served = await serveChanges(
      {
        read: (uri) => Promise.resolve({ uri, mimeType: 'text/markdown', text }),
        list: () => Promise.resolve({ page: 1, pageSize: 50, total: 10, nextPageToken: null, items } as never),
      },
      { maxResponseBytes: 2048 },
    );
    const told = { code: 'RESPONSE_TOO_LARGE', message: 'Response size (3KB) exceeds limit of 2KB' };
    const read = await served.post('/sse', { uri: 'change://a/tasks', method: 'resource/read' });
    expect([read.status, await read.json()]).toMatchObject([413, { error: told }]);
    const hint = 'Consider using pagination or reducing the amount of data requested';
    const call = { tool: 'changes.active' };
    const sse = await served.post('/sse', call, { accept: 'text/event-stream' });
    const [event] = await allEventsOf(sse);
    expect([sse.status, JSON.parse(event?.data ?? '')]).toMatchObject([
      413,
      { error: { ...told, message: LARGE, hint } },
    ]);
    const ndjson = await served.post('/mcp', call, { accept: 'application/x-ndjson' });
    expect([ndjson.status, await linesOf(ndjson)]).toMatchObject([
      413,
      [{ type: 'error', error: { code: told.code } }],
    ]);
    const rpc = async (method: string, params: object) =>
      (await (await served.post('/mcp', { jsonrpc: '2.0', id: 1, method, params })).json()) as object;
    expect(await rpc('tools/call', { name: 'changes.active' })).toMatchObject({
      result: { isError: true, _meta: { 'io.cloutagent/error': { code: told.code, message: LARGE } } },
    });
    expect(await rpc('resources/read', { uri: 'change://a/tasks' })).toMatchObject({ error: { data: told } });
  });

  it('a tool that answers what no form can tell is INVALID_TOOL_RESULT', async () => {
    const circular: Record<string, unknown> = { slug: 'a-change', title: 'T', paths: PATHS };
    circular['self'] = circular;
    const results: readonly unknown[] = [
      {},
      { page: 1, pageSize: 50, total: '1', nextPageToken: null, items: [] },
      { page: 1, pageSize: 50, total: 1, nextPageToken: null, items: [circular] },
    ];
    for (const result of results) {
      await using served = await serveChanges({ list: () => Promise.resolve(result as never) });
      const response = await served.post('/sse', { tool: 'changes.active' });
      expect([response.status, await response.json()]).toMatchObject([
        500,
        { error: { code: 'INVALID_TOOL_RESULT', message: "Tool 'changes.active' returned an invalid result" } },
      ]);
    }
    await using served = await serveChanges({ archive: () => Promise.resolve({} as never) });
    const archive = { name: 'change.archive', arguments: { slug: 'a-change' } };
    const answer = await served.post('/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/call', params: archive });
    expect(await answer.json()).toMatchObject({
      result: { isError: true, _meta: { 'io.cloutagent/error': { code: 'INVALID_TOOL_RESULT' } } },
    });
  });

  it('tools that cannot be loaded are TOOL_REGISTRY_UNAVAILABLE until they can', async () => {
    let broken = true;
    const factory = () => {
      if (broken) throw new Error('secret');
      return new McpServer({ name: 'whole', version: '1' }, { supportedProtocolVersions: PROTOCOL_VERSIONS });
    };
    await using served = await serveProject({ factory });
    const ping = () => served.post('/mcp', { jsonrpc: '2.0', id: 1, method: 'ping' });
    const refused = await ping();
    const text = await refused.text();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([500, '1']);
    expect(JSON.parse(text)).toMatchObject({
      error: { code: 'TOOL_REGISTRY_UNAVAILABLE', message: 'The tools are not available', hint: 'Retry later' },
    });
    expect(text).not.toContain('secret');
    expect((await fetch(`${served.url}/sse`)).status).toBe(500);
    broken = false;
    expect(await (await ping()).json()).toMatchObject({ id: 1, result: {} });
  });

  it('[T10.unknown] a tool that breaks is TOOL_EXECUTION_ERROR and shows nothing', async () => {
    await using served = await serveChanges({ list: () => Promise.reject(new Error('secret')) });
    const response = await served.post('/mcp', { tool: 'changes.active' });
    const text = await response.text();
    expect(response.status).toBe(500);
    expect(text).toContain('TOOL_EXECUTION_ERROR');
    expect(text).not.toContain('secret');
  });
});
