import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { toConnectorRequest, type SeedConnector } from './mcp-connector.ts';
import { serveBoth, TOKEN, type Servers } from '../fixtures/servers.ts';

/** Seed 000, "MCP Connector Configuration", word by word. */
const SEED: SeedConnector = {
  mcp_servers: {
    task: {
      url: 'https://your-task-mcp-server.com/sse',
      capabilities: ['tools'],
      authorization_token: 'Bearer your-task-mcp-token',
    },
  },
  tools: [
    {
      server: 'task',
      tool: 'change.open',
      input: { title: 'Implement user authentication', slug: 'user-auth-v2', template: 'feature' },
    },
  ],
};

const seedFor = (servers: Servers, path = '/sse', token = `Bearer ${TOKEN}`): SeedConnector => ({
  ...SEED,
  mcp_servers: { task: { url: servers.taskMcp + path, authorization_token: token } },
});

const ask = (servers: Servers, request: object, stream = false) => {
  const client = new Anthropic({ baseURL: servers.claude, apiKey: 'any', maxRetries: 0 });
  // The builder's object is what the SDK's types demand; its lists are read-only.
  const body = {
    model: 'claude-opus-5-5',
    max_tokens: 1000,
    ...request,
  } as Anthropic.Beta.Messages.MessageCreateParamsNonStreaming;
  return stream ? client.beta.messages.stream(body).finalMessage() : client.beta.messages.create(body);
};

describe('[C9.builder] the connector builder', () => {
  it('takes the object of the seed and emits the request of today', () => {
    expect(toConnectorRequest(SEED)).toEqual({
      mcp_servers: [
        {
          type: 'url',
          name: 'task',
          url: 'https://your-task-mcp-server.com/sse',
          authorization_token: 'your-task-mcp-token',
        },
      ],
      tools: [
        {
          type: 'mcp_toolset',
          mcp_server_name: 'task',
          default_config: { enabled: false },
          configs: { 'change.open': { enabled: true } },
        },
      ],
      betas: ['mcp-client-2025-11-20'],
      messages: [{ role: 'user', content: expect.stringContaining('"slug":"user-auth-v2"') as unknown }],
    });
  });

  it('offers everything where no tool is named, and refuses a tool of a server that is not', () => {
    expect(toConnectorRequest({ mcp_servers: SEED.mcp_servers }).tools).toEqual([
      { type: 'mcp_toolset', mcp_server_name: 'task' },
    ]);
    expect(() => toConnectorRequest({ ...SEED, mcp_servers: {} })).toThrow(/not in mcp_servers/u);
  });
});

describe('[C9.simulator] the simulator', () => {
  it.each([
    ['/sse', false],
    ['/mcp', true],
  ])('connects to Task MCP at %s and calls the tool (stream: %s)', async (path, stream) => {
    await using servers = await serveBoth();
    const answer = await ask(servers, toConnectorRequest(seedFor(servers, path)), stream);
    expect(answer.content).toMatchObject([
      {
        type: 'mcp_tool_use',
        id: expect.stringMatching(/^mcptoolu_/u) as unknown,
        name: 'change.open',
        server_name: 'task',
        input: { title: 'Implement user authentication', slug: 'user-auth-v2', template: 'feature' },
      },
      { type: 'mcp_tool_result', is_error: false, content: [{ type: 'text' }] },
      { type: 'text', text: 'Simulated: the change user-auth-v2 is open.' },
    ]);
    const [use, result] = answer.content;
    expect(result).toHaveProperty('tool_use_id', use !== undefined && 'id' in use ? use.id : '');
    expect(answer.stop_reason).toBe('end_turn');
    expect(await servers.slugs()).toEqual(['user-auth-v2']);
  });

  it('shows what a tool refuses as its result, and takes the turn back in the next request', async () => {
    await using servers = await serveBoth();
    await servers.open('user-auth-v2');
    const request = toConnectorRequest(seedFor(servers));
    const first = await ask(servers, request);
    expect(first.content[1]).toMatchObject({ type: 'mcp_tool_result', is_error: true });
    const next = { role: 'user', content: 'Thank you' };
    const second = await ask(servers, {
      ...request,
      messages: [...request.messages, { role: 'assistant', content: first.content }, next],
    });
    expect(second.content).toMatchObject([{ type: 'text' }]);
  });

  it('offers only tools that are enabled', async () => {
    await using servers = await serveBoth();
    const request = toConnectorRequest(seedFor(servers));
    const [toolset] = request.tools;
    const closed = { ...request, tools: [{ ...toolset, configs: { 'changes.active': { enabled: true } } }] };
    expect((await ask(servers, closed)).content).toMatchObject([{ type: 'text' }]);
    expect(await servers.slugs()).toEqual([]);
  });

  it('lists the tools in the answer with the newer beta, and asks nobody for pinned ones', async () => {
    await using servers = await serveBoth();
    const request = {
      ...toConnectorRequest({ mcp_servers: seedFor(servers).mcp_servers }),
      betas: ['mcp-client-2026-09-15'],
    };
    const words = { role: 'user', content: 'Show me all active changes' };
    const first = await ask(servers, { ...request, messages: [words] });
    const [listing] = first.content;
    expect(listing).toMatchObject({ type: 'mcp_tool_listing', mcp_server_name: 'task' });
    const tools = listing !== undefined && 'tools' in listing ? listing.tools : [];
    expect(tools.map((tool) => tool.name)).toContain('changes.active');
    const pinned = { ...request.tools[0], tools: tools.filter((tool) => tool.name === 'change.archive') };
    const second = await ask(servers, { ...request, tools: [pinned], messages: [words] });
    expect(second.content.map(({ type }) => type)).toEqual(['mcp_tool_listing', 'text']);
  });

  it.each<readonly [string, (servers: Servers) => object, string]>([
    [
      'a wrong token',
      (servers) => toConnectorRequest(seedFor(servers, '/mcp', 'wrong')),
      'Authentication error: HTTP 401',
    ],
    [
      'a server that is not there',
      () => toConnectorRequest({ mcp_servers: { task: { url: 'http://127.0.0.1:1/mcp' } }, tools: [] }),
      "while communicating with the MCP server 'task'",
    ],
    ['no MCP at the address', (servers) => toConnectorRequest(seedFor(servers, '/health')), 'Server error'],
    [
      'no beta',
      (servers) => ({ ...toConnectorRequest(seedFor(servers)), betas: ['other-2026-01-01'] }),
      'needs the beta',
    ],
    [
      'plain HTTP to another machine',
      () => toConnectorRequest({ mcp_servers: { task: { url: 'http://example.com/mcp' } } }),
      'URL must start with https://',
    ],
    [
      'Bearer in the token',
      (servers) => {
        const request = toConnectorRequest(seedFor(servers));
        return { ...request, mcp_servers: [{ ...request.mcp_servers[0], authorization_token: `Bearer ${TOKEN}` }] };
      },
      'the token alone',
    ],
    [
      'a server without toolset',
      (servers) => ({ ...toConnectorRequest(seedFor(servers)), tools: [] }),
      'exactly one mcp_toolset',
    ],
    [
      'a toolset without server',
      (servers) => ({ ...toConnectorRequest(seedFor(servers)), mcp_servers: [] }),
      "MCP server 'task' not found",
    ],
  ])('refuses %s', async (_name, make, message) => {
    await using servers = await serveBoth();
    const request = { messages: [{ role: 'user', content: 'hello' }], ...make(servers) };
    const messages =
      'messages' in request && request.messages.length > 0 ? request.messages : [{ role: 'user', content: 'hello' }];
    await expect(ask(servers, { ...request, messages })).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining(message) as unknown,
    });
  });
});
