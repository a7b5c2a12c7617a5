import { describe, expect, it } from 'vitest';
import type { AuditEvent } from '@cloutagent/http';
import { serveProject, until, type Served } from '../harness.ts';

const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
};

interface Answer {
  readonly id?: unknown;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Record<string, unknown> };
}

const legacy = async (served: Served, method: string, params: object = {}, path = '/mcp'): Promise<Answer> => {
  const response = await served.post(path, { jsonrpc: '2.0', id: 7, method, params });
  return (await response.json()) as Answer;
};

const modern = async (
  served: Served,
  method: string,
  params: { name?: string; uri?: string; arguments?: object } = {},
) => {
  const name = params.name ?? params.uri;
  const response = await served.post(
    '/mcp',
    { jsonrpc: '2.0', id: 8, method, params: { ...params, _meta: ENVELOPE } },
    { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...(name === undefined ? {} : { 'mcp-name': name }) },
  );
  return { status: response.status, ...((await response.json()) as Answer) };
};

const OPEN = { name: 'change.open', arguments: { title: 'T', slug: 'a-change', template: 'feature' } };

describe('MCP over HTTP', () => {
  it.each(['/mcp', '/sse'])('[T3.streamable, T3.streamable-sse, T3.era-initialize] works on %s', async (path) => {
    await using served = await serveProject();
    const info = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
    const hello = await legacy(served, 'initialize', info, path);
    expect(hello).toMatchObject({
      id: 7,
      result: { protocolVersion: '2025-06-18', serverInfo: { name: 'task', version: '9.9.9' } },
    });
    const told = await served.post(path, { jsonrpc: '2.0', method: 'notifications/initialized' });
    expect([told.status, await told.text()]).toEqual([202, '']);
    const tools = (await legacy(served, 'tools/list', {}, path)).result?.['tools'] as { name: string }[];
    expect(tools.map(({ name }) => name)).toEqual(['change.open', 'change.archive', 'changes.active']);
  });

  it('[T3.era-stateless, X6.one-server] speaks the stateless era with server/discover', async () => {
    await using served = await serveProject();
    expect(await modern(served, 'server/discover')).toMatchObject({
      status: 200,
      result: { supportedVersions: ['2026-07-28'] },
    });
    expect(await modern(served, 'tools/call', OPEN)).toMatchObject({ status: 200, result: { resultType: 'complete' } });
    const page = await modern(served, 'tools/call', { name: 'changes.active', arguments: {} });
    expect(page.result?.['structuredContent']).toMatchObject({ total: 1 });
  });

  it('[T6.mcp-links, T9.structured, T9.token-end] gives valid blocks', async () => {
    await using served = await serveProject();
    const opened = await legacy(served, 'tools/call', { ...OPEN, name: 'change_open' });
    expect(opened.result?.['content']).toEqual([
      { type: 'text', text: "Change 'a-change' created successfully with feature template" },
      { type: 'resource_link', uri: 'change://a-change/proposal', name: 'proposal.md', mimeType: 'text/markdown' },
      { type: 'resource_link', uri: 'change://a-change/tasks', name: 'tasks.md', mimeType: 'text/markdown' },
      { type: 'resource_link', uri: 'change://a-change/delta/spec.md', name: 'spec.md', mimeType: 'text/markdown' },
    ]);
    const { result } = await legacy(served, 'tools/call', { name: 'changes.active', arguments: {} });
    expect(result?.['structuredContent']).toMatchObject({ page: 1, total: 1, items: [{ slug: 'a-change' }] });
    expect(result?.['structuredContent']).not.toHaveProperty('nextPageToken');
  });

  it('[T10.mcp] tells errors of tools to the model and errors of names to the client', async () => {
    await using served = await serveProject();
    const failed = await legacy(served, 'tools/call', { name: 'change.archive', arguments: { slug: 'nobody' } });
    expect(failed.result).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: expect.stringMatching(/^CHANGE_NOT_FOUND: .*clout change list/u) as string }],
      _meta: { 'io.cloutagent/error': { code: 'CHANGE_NOT_FOUND' } },
    });
    const unknown = await legacy(served, 'tools/call', { name: 'nothing', arguments: {} });
    expect(unknown.error).toMatchObject({ code: -32602, data: { code: 'TOOL_NOT_FOUND' } });
    const resource = await legacy(served, 'resources/read', { uri: 'change://nobody/tasks' });
    expect(resource.error).toMatchObject({ code: -32602, data: { uri: 'change://nobody/tasks' } });
    expect((await legacy(served, 'no/such')).error?.code).toBe(-32601);
  });

  it('[T17.audit] says in the audit log which tool failed and how, though its status is 200', async () => {
    const events: AuditEvent[] = [];
    const logs: string[] = [];
    await using served = await serveProject({
      log: (level, message) => logs.push(`${level} ${message}`),
      front: { audit: (event) => events.push(event) },
    });
    await legacy(served, 'tools/call', { name: 'change.archive', arguments: { slug: 'nobody' } });
    await modern(served, 'tools/call', { name: 'change.archive', arguments: { slug: 'nobody' } });
    await legacy(served, 'tools/call', { name: 'nothing' });
    await legacy(served, 'no/such');
    await legacy(served, 'tools/call', OPEN);
    await until(() => events.length === 5);
    expect(events.map(({ tool, result, code }) => [tool, result, code])).toEqual([
      ['change.archive', 'failed', 'CHANGE_NOT_FOUND'],
      ['change.archive', 'failed', 'CHANGE_NOT_FOUND'],
      ['nothing', 'failed', 'TOOL_NOT_FOUND'],
      [undefined, 'failed', 'JSON-RPC -32601'],
      ['change.open', 'ok', undefined],
    ]);
    // What callers do wrong is theirs to know, and must not fill the log.
    expect(logs).toEqual(['debug tool failed', 'debug tool failed']);
  });

  it('[T11.listed, T11.change] lists, reads and completes resources', async () => {
    await using served = await serveProject();
    await legacy(served, 'tools/call', OPEN);
    const listed = (await legacy(served, 'resources/list')).result?.['resources'] as { uri: string }[];
    const uris = listed.map(({ uri }) => uri);
    expect(uris).toEqual(
      expect.arrayContaining(['changes://active', 'change://a-change/proposal', 'change://a-change/tasks']),
    );
    for (const uri of [...uris, '@task:change://a-change/delta/spec.md']) {
      const read = await legacy(served, 'resources/read', { uri });
      expect(read.result).toMatchObject({ contents: [{ uri }] });
    }
    const templates = (await legacy(served, 'resources/templates/list')).result?.['resourceTemplates'] as object[];
    expect(templates).toHaveLength(5);
    const ref = { type: 'ref/resource', uri: 'change://{slug}/tasks' };
    const completed = await legacy(served, 'completion/complete', { ref, argument: { name: 'slug', value: 'a-' } });
    expect(completed.result).toMatchObject({ completion: { values: ['a-change'], total: 1 } });
    expect((await legacy(served, 'resources/list', { cursor: 'x' })).error?.data).toMatchObject({
      code: 'INVALID_INPUT',
    });
  });

  it('answers a batch with an array', async () => {
    await using served = await serveProject();
    const call = (id: number) => ({ jsonrpc: '2.0', id, method: 'tools/list' });
    const answers = (await (await served.post('/mcp', [call(1), call(2)])).json()) as Answer[];
    expect(answers.map(({ id }) => id).sort((a, b) => Number(a) - Number(b))).toEqual([1, 2]);
  });

  it('[T5.scopes] asks a token as every other request does', async () => {
    await using served = await serveProject({ front: { tokens: { user: ['right'], admin: [] } } });
    expect((await served.post('/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/list' })).status).toBe(401);
  });
});
