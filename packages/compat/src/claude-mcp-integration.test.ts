import { describe, expect, it } from 'vitest';
import { ClaudeMCPIntegration, StreamingClaudeMCPIntegration, type RequestChunk } from './claude-mcp-integration.ts';
import { serveBoth, TOKEN, type Servers } from '../fixtures/servers.ts';

/** The four requests of seed 000, "demonstrateClaudeIntegration". */
const REQUESTS = [
  'Create a new change for implementing user notifications with slug "user-notifications"',
  'Archive the change "old-feature-removal"',
  'Show me all active changes',
  'What is the capital of France?',
] as const;

const integrate = (servers: Servers, authToken = TOKEN): ClaudeMCPIntegration =>
  new ClaudeMCPIntegration('any-key', { baseUrl: servers.taskMcp, authToken }, { apiUrl: servers.claude });

const collect = async (integration: ClaudeMCPIntegration, words: string): Promise<RequestChunk[]> => {
  const chunks: RequestChunk[] = [];
  await integration.processStreamingRequest(words, (chunk) => void chunks.push(chunk));
  return chunks;
};

describe('ClaudeMCPIntegration', () => {
  it('[C7.tools C8.request C8.count] answers the four requests of the seed over HTTP', async () => {
    await using servers = await serveBoth();
    await servers.open('old-feature-removal', 'another-one', 'a-third');
    const integration = integrate(servers);
    const answers = [];
    for (const request of REQUESTS) answers.push(await integration.processUserRequest(request));
    expect(answers).toMatchObject([
      { type: 'change_created', message: 'Successfully created change: User notifications' },
      { type: 'change_archived', message: 'Successfully archived change: old-feature-removal' },
      { type: 'active_changes', message: 'Found 3 active changes' },
      { type: 'message', role: 'assistant', content: [{ type: 'text' }] },
    ]);
    expect(await servers.slugs()).toEqual(['a-third', 'another-one', 'user-notifications']);
    const listed = answers[2];
    const changes = listed?.type === 'active_changes' ? listed.data['content'] : [];
    expect((changes as { slug: string }[]).map(({ slug }) => slug).sort()).toEqual(await servers.slugs());
    // The intent is a tool call with its own turn after it, not words that are parsed.
    const sent = await servers.requests();
    expect(sent.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200, 200]);
    expect(sent[0]?.body['tools']).toMatchObject([
      { name: 'change_archive' },
      { name: 'change_open' },
      { name: 'changes_active' },
    ]);
    expect(sent[1]?.body['messages']).toMatchObject([
      { role: 'user' },
      { role: 'assistant', content: [{ type: 'tool_use', name: 'change_open' }] },
      { role: 'user', content: [{ type: 'tool_result' }] },
    ]);
  });

  it('[C8.count] counts all changes where one page does not hold them', async () => {
    await using servers = await serveBoth();
    await servers.open(...Array.from({ length: 53 }, (_, index) => `change-${index}`));
    const answer = await integrate(servers).processUserRequest('Show me all active changes');
    expect(answer).toMatchObject({ type: 'active_changes', message: 'Found 53 active changes', data: { total: 53 } });
  });

  it('[C8.stream] tells the same in chunks, in the order of the seed', async () => {
    await using servers = await serveBoth();
    await servers.open('old-feature-removal');
    const taskMcp = { baseUrl: servers.taskMcp, authToken: TOKEN };
    const integration = new StreamingClaudeMCPIntegration('any-key', taskMcp, { apiUrl: servers.claude });
    const told: RequestChunk[][] = [];
    for (const request of REQUESTS) told.push(await collect(integration, request));
    expect(told.slice(0, 3)).toMatchObject([
      [
        { type: 'status', message: 'Processing create request...' },
        { type: 'status', message: 'Creating change...' },
        { type: 'result', data: { type: 'change_created' } },
      ],
      [
        { type: 'status', message: 'Processing archive request...' },
        { type: 'status', message: 'Archiving change...' },
        { type: 'result', data: { type: 'change_archived' } },
      ],
      [
        { type: 'status', message: 'Processing list request...' },
        { type: 'status', message: 'Fetching changes...' },
        { type: 'result', data: { type: 'active_changes', message: 'Found 1 active changes' } },
      ],
    ]);
    const words = told[3] ?? [];
    expect(words.length).toBeGreaterThan(2);
    expect(new Set(words.map(({ type }) => type))).toEqual(new Set(['claude_chunk']));
    const text = words.map((chunk) => (chunk.type === 'claude_chunk' ? chunk.text : '')).join('');
    expect(text).toMatch(/^Simulated: this is the CloutAgent simulator/u);
  });

  it('[C8.request] a tool that refuses is an error with its words, and an error chunk in the stream', async () => {
    await using servers = await serveBoth();
    const integration = integrate(servers);
    const words = 'Archive the change "never-opened"';
    await expect(integration.processUserRequest(words)).rejects.toThrow(/never-opened/u);
    expect(await collect(integration, words)).toMatchObject([
      { type: 'status' },
      { type: 'status' },
      { type: 'error', message: expect.stringContaining('never-opened') as unknown },
    ]);
  });

  it('[C8.stream] a wrong token or a model that is gone is an error chunk', async () => {
    await using servers = await serveBoth();
    expect(await collect(integrate(servers, 'wrong'), REQUESTS[2])).toMatchObject([{ type: 'error' }]);
    await fetch(`${servers.claude}/simulator/faults?fault=401&times=99`, { method: 'POST' });
    expect(await collect(integrate(servers), REQUESTS[2])).toMatchObject([{ type: 'error' }]);
  });
});
