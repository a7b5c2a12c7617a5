import { McpServer } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { eventsOf, serveProject } from '../harness.ts';
import { PROTOCOL_VERSIONS } from './factory.ts';
import { messagesOf, nextEvent, nextOf, OPEN, shakeHands, type Message } from './http-harness.ts';

const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list' };

describe('sessions', () => {
  it('[T3.era-initialize] begin with initialize and end with DELETE', async () => {
    await using served = await serveProject();
    const id = await shakeHands(served);
    expect(id).toMatch(/^[0-9a-f-]{36}$/u);
    expect((await served.post('/mcp', LIST, { 'mcp-session-id': id })).status).toBe(200);
    const remove = () => fetch(`${served.url}/mcp`, { method: 'DELETE', headers: { 'mcp-session-id': id } });
    expect((await remove()).status).toBe(204);
    const after = await served.post('/mcp', LIST, { 'mcp-session-id': id });
    expect([after.status, ((await after.json()) as Message).error?.code]).toEqual([404, -32001]);
    expect((await remove()).status).toBe(404);
  });

  it('[H17] belong to the token that opened them', async () => {
    const tokens = { user: ['one', 'two'], admin: [] };
    await using served = await serveProject({ front: { tokens } });
    const [mine, theirs] = [{ authorization: 'Bearer one' }, { authorization: 'Bearer two' }];
    const id = await shakeHands(served, mine);
    expect((await served.post('/mcp', LIST, { ...mine, 'mcp-session-id': id })).status).toBe(200);
    expect((await served.post('/mcp', LIST, { ...theirs, 'mcp-session-id': id })).status).toBe(404);
    const get = (headers: Record<string, string>) =>
      fetch(`${served.url}/mcp`, { headers: { ...headers, 'mcp-session-id': id } });
    expect((await get(theirs)).status).toBe(404);
    const remove = await fetch(`${served.url}/mcp`, { method: 'DELETE', headers: { ...theirs, 'mcp-session-id': id } });
    expect(remove.status).toBe(404);
  });

  it('[H17] give every one of many clients its own answers, whatever ids they use', async () => {
    await using served = await serveProject();
    const read = async (client: number): Promise<void> => {
      const headers = client % 2 === 0 ? { 'mcp-session-id': await shakeHands(served) } : {};
      for (let call = 0; call < 20; call += 1) {
        const uri = `change://client-${client}-${call}/tasks`;
        const body = { jsonrpc: '2.0', id: call, method: 'resources/read', params: { uri } };
        const answer = (await (await served.post('/mcp', body, headers)).json()) as Message;
        expect([answer.id, answer.error?.data?.['uri']]).toEqual([call, uri]);
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, client) => read(client)));
  });

  it('refuse what they cannot serve', async () => {
    await using served = await serveProject();
    expect((await fetch(`${served.url}/mcp`)).status).toBe(405);
    expect((await fetch(`${served.url}/mcp`, { headers: { 'mcp-session-id': 'guess' } })).status).toBe(404);
    const id = await shakeHands(served);
    const resume = await fetch(`${served.url}/mcp`, { headers: { 'mcp-session-id': id, 'last-event-id': '7-7000' } });
    expect(resume.status).toBe(400);
    const old = await served.post('/mcp', LIST, { 'mcp-protocol-version': '1999-01-01' });
    expect(old.status).toBe(400);
    const batch = await served.post('/mcp', [LIST, { ...LIST, method: 'initialize' }]);
    expect(batch.status).toBe(400);
  });

  it('[T11.updated] [T8.listings] tell a subscriber that a resource changed', async () => {
    await using served = await serveProject();
    const id = await shakeHands(served);
    const headers = { 'mcp-session-id': id };
    await served.post('/mcp', { ...LIST, method: 'tools/call', params: OPEN }, headers);
    const uri = '@task:change://a-change/tasks';
    await served.post('/mcp', { ...LIST, method: 'resources/subscribe', params: { uri } }, headers);
    const stream = messagesOf(await fetch(`${served.url}/mcp`, { headers }));
    const archive = { name: 'change.archive', arguments: { slug: 'a-change' } };
    await served.post('/mcp', { ...LIST, method: 'tools/call', params: archive });
    const told = await nextOf(stream, ({ method }) => method === 'notifications/resources/updated');
    expect(told.params).toEqual({ uri });
    await stream.return(undefined);
  });

  it('tell a client that is ready, and subscribed to nothing, that resources came', async () => {
    await using served = await serveProject();
    const headers = { 'mcp-session-id': await shakeHands(served) };
    const stream = messagesOf(await fetch(`${served.url}/mcp`, { headers }));
    await served.post('/mcp', { ...LIST, method: 'tools/call', params: OPEN });
    await nextOf(stream, ({ method }) => method === 'notifications/resources/list_changed');
    await stream.return(undefined);
  });

  it('go on with a stream behind the last event that its reader saw', async () => {
    let finish = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const factory = () => {
      const mcp = new McpServer(
        { name: 'slow', version: '1' },
        { supportedProtocolVersions: PROTOCOL_VERSIONS, capabilities: { tools: {} } },
      );
      mcp.registerTool('slow', { description: 'Reports, waits, answers' }, async ({ mcpReq }) => {
        const params = { progressToken: 'p', progress: 1 };
        await mcpReq.notify({ method: 'notifications/progress', params });
        await held;
        return { content: [{ type: 'text', text: 'done' }] };
      });
      return mcp;
    };
    await using served = await serveProject({ factory });
    const headers = { 'mcp-session-id': await shakeHands(served) };
    const lost = new AbortController();
    const call = await fetch(`${served.url}/mcp`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ ...LIST, id: 'call', method: 'tools/call', params: { name: 'slow' } }),
      signal: lost.signal,
    });
    const events = eventsOf(call);
    const primed = await nextEvent(events);
    expect(primed).toMatchObject({ data: '' });
    const first = await nextEvent(events);
    expect(first.data).toContain('notifications/progress');
    lost.abort();
    const resume = (lastEventId: string) =>
      fetch(`${served.url}/mcp`, { headers: { ...headers, 'last-event-id': lastEventId } });
    const rest = messagesOf(await resume(first.id ?? ''));
    finish();
    expect(await nextOf(rest, () => true)).toMatchObject({ id: 'call', result: { content: [{ text: 'done' }] } });
    expect((await rest.next()).done).toBe(true);
    // The stream is closed by now; what it said can still be had.
    const again = messagesOf(await resume(primed.id ?? ''));
    expect((await nextOf(again, () => true)).method).toBe('notifications/progress');
    expect((await nextOf(again, () => true)).id).toBe('call');
  });
});

describe('HTTP+SSE of 2024-11-05', () => {
  it('[T3.legacy-sse] sends the answers to what is posted down one stream', async () => {
    await using served = await serveProject();
    const events = eventsOf(await fetch(`${served.url}/sse`, { headers: { accept: 'text/event-stream' } }));
    const endpoint = await nextEvent(events);
    expect(endpoint).toMatchObject({
      event: 'endpoint',
      data: expect.stringMatching(/^\/messages\?sessionId=/u) as string,
    });
    const posted = await served.post(endpoint.data, LIST);
    expect([posted.status, await posted.text()]).toEqual([202, 'Accepted']);
    const answer = await nextEvent(events);
    expect(JSON.parse(answer.data)).toMatchObject({ id: 1, result: { tools: expect.any(Array) as object } });
    await events.return(undefined);
    expect((await served.post('/messages?sessionId=guess', LIST)).status).toBe(404);
  });

  it('[H17] takes messages only from the token that opened the stream', async () => {
    await using served = await serveProject({ front: { tokens: { user: ['one', 'two'], admin: [] } } });
    const stream = await fetch(`${served.url}/sse`, { headers: { authorization: 'Bearer one' } });
    const events = eventsOf(stream);
    const { data: path } = await nextEvent(events);
    expect((await served.post(path, LIST, { authorization: 'Bearer two' })).status).toBe(404);
    expect((await served.post(path, LIST, { authorization: 'Bearer one' })).status).toBe(202);
    await events.return(undefined);
  });
});
