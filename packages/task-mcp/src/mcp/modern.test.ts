import { inputRequired, inputResponse, McpServer, SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/server';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { serveProject, until } from '../harness.ts';
import { PROTOCOL_VERSIONS } from './factory.ts';
import { messagesOf, modernHeaders, modernPost, nextOf, OPEN, type Message } from './http-harness.ts';

const TASKS = 'io.modelcontextprotocol/tasks';
const speaksTasks = { capabilities: { elicitation: {}, extensions: { [TASKS]: {} } } };

const bodyOf = async (response: Promise<Response>): Promise<Message & { status: number }> => {
  const answer = await response;
  return { status: answer.status, ...((await answer.json()) as Message) };
};

describe('the stateless era', () => {
  it('knows every revision that the SDK knows', () => {
    expect(PROTOCOL_VERSIONS).toEqual([...SUPPORTED_PROTOCOL_VERSIONS, '2026-07-28']);
  });

  it.each([
    ['no version', { 'mcp-method': 'tools/list' }],
    ['no method', { 'mcp-protocol-version': '2026-07-28' }],
    ['another method', modernHeaders('tools/call')],
  ])('[T3.era-stateless] refuses a request whose headers have %s', async (_, headers) => {
    await using served = await serveProject();
    const meta = JSON.parse(
      '{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}',
    ) as object;
    const body = { jsonrpc: '2.0', id: 5, method: 'tools/list', params: { _meta: meta } };
    const answer = await bodyOf(served.post('/mcp', body, headers));
    expect(answer).toMatchObject({ status: 400, id: 5, error: { code: -32020 } });
  });

  it('reads a name that is encoded, and refuses one that differs', async () => {
    await using served = await serveProject();
    const name = (value: string) => ({ headers: { 'mcp-name': value } });
    const params = { name: 'changes.active', arguments: {} };
    const encoded = `=?base64?${Buffer.from('changes.active').toString('base64')}?=`;
    expect(await bodyOf(modernPost(served, 'tools/call', params, name(encoded)))).toMatchObject({ status: 200 });
    for (const wrong of ['change.open', '=?base64?!!!?=']) {
      expect(await bodyOf(modernPost(served, 'tools/call', params, name(wrong)))).toMatchObject({ status: 400 });
    }
  });

  it('answers 404 for a method that the revision does not have, and 400 for an unknown revision', async () => {
    await using served = await serveProject();
    expect(await bodyOf(modernPost(served, 'ping'))).toMatchObject({ status: 404, error: { code: -32601 } });
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2031-01-01',
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const body = { jsonrpc: '2.0', id: 5, method: 'tools/list', params: { _meta: meta } };
    const headers = { 'mcp-protocol-version': '2031-01-01', 'mcp-method': 'tools/list' };
    expect(await bodyOf(served.post('/mcp', body, headers))).toMatchObject({
      status: 400,
      error: { code: -32022, data: { supported: ['2026-07-28'], requested: '2031-01-01' } },
    });
  });

  it('[T11.updated] tells listeners what they asked for, and nothing else', async () => {
    await using served = await serveProject();
    await modernPost(served, 'tools/call', OPEN);
    const uri = 'change://a-change/proposal';
    const notifications = { resourceSubscriptions: [uri], toolsListChanged: true };
    const stream = messagesOf(await modernPost(served, 'subscriptions/listen', { notifications }, { id: 77 }));
    expect(await nextOf(stream, () => true)).toMatchObject({
      method: 'notifications/subscriptions/acknowledged',
      params: {
        notifications: { resourceSubscriptions: [uri] },
        _meta: { 'io.modelcontextprotocol/subscriptionId': 77 },
      },
    });
    await writeFile(join(served.root, 'openspec/changes/a-change/tasks.md'), '# Tasks\n');
    await writeFile(join(served.root, 'openspec/changes/a-change/proposal.md'), '# Other\n');
    expect(await nextOf(stream, () => true)).toMatchObject({
      method: 'notifications/resources/updated',
      params: { uri, _meta: { 'io.modelcontextprotocol/subscriptionId': 77 } },
    });
    await stream.return(undefined);
  });

  it('cancels the work of a client that hangs up', async () => {
    let aborted = false;
    let began = false;
    const factory = () => {
      const mcp = new McpServer(
        { name: 'slow', version: '1' },
        { supportedProtocolVersions: PROTOCOL_VERSIONS, capabilities: { tools: {} } },
      );
      mcp.registerTool('slow', { description: 'Waits' }, async ({ mcpReq }) => {
        began = true;
        await new Promise<void>((resolve) => {
          mcpReq.signal.addEventListener('abort', () => {
            aborted = true;
            resolve();
          });
        });
        return { content: [] };
      });
      return mcp;
    };
    await using served = await serveProject({ factory });
    const stop = new AbortController();
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'slow', _meta: meta } };
    const call = fetch(`${served.url}/mcp`, {
      method: 'POST',
      headers: { ...modernHeaders('tools/call', 'slow'), 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: stop.signal,
    });
    await until(() => began);
    stop.abort();
    await expect(call).rejects.toThrow(/abort/u);
    await until(() => aborted);
  });
});

type Shown = Readonly<Record<string, unknown>> | undefined;

/** The task once it has this status; the test's own time limit ends a wait in vain. */
const untilStatus = async (get: () => Promise<Shown>, status: string): Promise<Shown> => {
  for (;;) {
    const shown = await get();
    if (shown?.['status'] === status) return shown;
  }
};

describe('tasks', () => {
  const factory = () => {
    const mcp = new McpServer(
      { name: 'tasks', version: '1' },
      { supportedProtocolVersions: PROTOCOL_VERSIONS, capabilities: { tools: {}, extensions: { [TASKS]: {} } } },
    );
    mcp.registerTool('ask', { description: 'Asks, then answers' }, ({ mcpReq }) => {
      const answer = inputResponse(mcpReq.inputResponses, 'sure');
      if (answer.kind === 'elicit') return { content: [{ type: 'text', text: answer.action }] };
      const requestedSchema = { type: 'object' as const, properties: { ok: { type: 'boolean' as const } } };
      return inputRequired({ inputRequests: { sure: inputRequired.elicit({ message: 'Sure?', requestedSchema }) } });
    });
    return mcp;
  };
  const tasks = new Map([['ask', { patienceMs: 0 }]]);
  const open = (tokens: readonly string[] = []) =>
    serveProject({ factory, tasks, front: { tokens: { user: tokens, admin: [] } } });

  it('[X6.tasks] go on after their call was answered, ask, and end', async () => {
    await using served = await open();
    const { result } = await bodyOf(modernPost(served, 'tools/call', { name: 'ask' }, speaksTasks));
    expect(result).toMatchObject({ resultType: 'task', status: 'working', ttlMs: expect.any(Number) as number });
    const taskId = result?.['taskId'];
    const get = async () => (await bodyOf(modernPost(served, 'tasks/get', { taskId }, speaksTasks))).result;
    const asked = await untilStatus(get, 'input_required');
    expect(asked).toMatchObject({ inputRequests: { sure: { method: 'elicitation/create' } } });
    const inputResponses = { sure: { action: 'accept', content: { ok: true } } };
    await modernPost(served, 'tasks/update', { taskId, inputResponses }, speaksTasks);
    expect(await untilStatus(get, 'completed')).toMatchObject({
      result: { content: [{ type: 'text', text: 'accept' }] },
    });
  });

  it('[X6.tasks] are only for clients that know them', async () => {
    await using served = await open();
    const plain = await bodyOf(modernPost(served, 'tasks/get', { taskId: 'x' }));
    expect(plain).toMatchObject({ status: 400, error: { code: -32021 } });
    const call = await bodyOf(modernPost(served, 'tools/call', { name: 'ask' }, { capabilities: { elicitation: {} } }));
    expect(call.result).toMatchObject({ resultType: 'input_required' });
    const unknown = await bodyOf(modernPost(served, 'tasks/get', { taskId: 'x' }, speaksTasks));
    expect(unknown.error?.code).toBe(-32602);
  });

  it('[H17] [X6.tasks] are hidden from other callers, and can be cancelled by their own', async () => {
    await using served = await open(['one', 'two']);
    const as = (token: string) => ({ ...speaksTasks, headers: { authorization: `Bearer ${token}` } });
    const { result } = await bodyOf(modernPost(served, 'tools/call', { name: 'ask' }, as('one')));
    const taskId = result?.['taskId'];
    const theirs = await bodyOf(modernPost(served, 'tasks/cancel', { taskId }, as('two')));
    expect(theirs.error?.code).toBe(-32602);
    const ack = await bodyOf(modernPost(served, 'tasks/cancel', { taskId }, as('one')));
    expect(ack.result).toMatchObject({ resultType: 'complete' });
    const shown = await bodyOf(modernPost(served, 'tasks/get', { taskId }, as('one')));
    expect(shown.result).toMatchObject({ status: 'cancelled' });
  });
});
