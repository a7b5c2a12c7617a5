import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventsOf, linesOf, serveProject, type Served } from './harness.ts';

const OPEN = {
  tool: 'change.open',
  input: {
    title: 'Add user profile management',
    slug: 'user-profile-mgmt',
    template: 'feature',
    rationale: 'Enable users to manage their profile information',
    owner: 'frontend-team',
    ttl: 7200,
  },
};
const ARCHIVE = { tool: 'change.archive', input: { slug: 'user-profile-mgmt' } };
const SSE = { accept: 'text/event-stream' };
const NDJSON = { accept: 'application/x-ndjson' };

const resultOf = async (response: Response): Promise<Record<string, unknown>> => {
  for await (const { event, data } of eventsOf(response)) {
    if (event === 'result') return JSON.parse(data) as Record<string, unknown>;
  }
  throw new Error('no result event');
};

describe('POST /sse', () => {
  it('[T1.keepalive, T1.result, T1.headers, T6.result] answers as the seed shows', async () => {
    await using served = await serveProject();
    const response = await served.post('/sse', { ...OPEN, apiVersion: '1.0.0' }, SSE);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      connection: 'keep-alive',
      'x-accel-buffering': 'no',
    });
    const id = response.headers.get('x-request-id') ?? '';
    const text = await response.text();
    expect(text).toMatch(new RegExp(`^: keep-alive \\d+\\n\\nevent: result\\nid: ${id}\\ndata: \\{.*\\}\\n\\n$`, 'u'));
    const data: unknown = JSON.parse(/^data: (.*)$/mu.exec(text)?.[1] ?? '');
    const iso = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/u) as string;
    const link = (path: string, name: string) => ({
      type: 'resource',
      uri: `@task:change://user-profile-mgmt/${path}`,
      mimeType: 'text/markdown',
      name,
    });
    expect(data).toEqual({
      apiVersion: '1.0.0',
      tool: 'change.open',
      startedAt: iso,
      result: {
        content: [
          { type: 'text', text: "Change 'user-profile-mgmt' created successfully with feature template" },
          link('proposal', 'proposal.md'),
          link('tasks', 'tasks.md'),
          link('delta/spec.md', 'spec.md'),
        ],
      },
      duration: expect.any(Number) as number,
      receipt: {
        id: expect.stringMatching(/^rcp_[0-9a-f]{32}$/u) as string,
        timestamp: iso,
        operation: 'change.open',
        slug: 'user-profile-mgmt',
      },
    });
  });

  it('[T8.receipt] archives with the receipt that lies beside the change', async () => {
    await using served = await serveProject();
    await (await served.post('/sse', OPEN, SSE)).text();
    const data = await resultOf(await served.post('/sse', ARCHIVE, SSE));
    expect(data['result']).toEqual({
      content: [
        { type: 'text', text: "Change 'user-profile-mgmt' archived successfully" },
        {
          type: 'resource',
          uri: 'changes://archived/user-profile-mgmt',
          mimeType: 'application/json',
          name: 'archive_summary.json',
        },
      ],
    });
    const receipt = data['receipt'] as { id: string; path: string };
    expect(receipt).toMatchObject({
      operation: 'change.archive',
      slug: 'user-profile-mgmt',
      previousStatus: 'draft',
      newStatus: 'archived',
    });
    const stored = JSON.parse(await readFile(join(served.root, receipt.path), 'utf8')) as { id: string; by: string };
    expect([stored.id, stored.by]).toEqual([receipt.id, 'tester']);
  });

  it('[T9.page, T9.token-end, T9.paths] lists with the page beside the text', async () => {
    await using served = await serveProject();
    await (await served.post('/sse', OPEN, SSE)).text();
    const call = { tool: 'changes.active', input: { limit: 25, offset: 0, status: 'draft', template: 'feature' } };
    const data = await resultOf(await served.post('/sse', call, SSE));
    const { content, structuredContent } = data['result'] as Record<string, unknown>;
    expect(content).toEqual([
      { type: 'text', text: 'Found 1 active feature change (showing page 1 of 1)' },
      { type: 'resource', uri: 'changes://active/list', mimeType: 'application/json' },
    ]);
    expect(structuredContent).toMatchObject({
      page: 1,
      pageSize: 25,
      total: 1,
      nextPageToken: null,
      items: [
        {
          slug: 'user-profile-mgmt',
          title: 'Add user profile management',
          status: 'draft',
          template: 'feature',
          owner: 'frontend-team',
          paths: { root: join(served.root, 'openspec/changes/user-profile-mgmt') },
        },
      ],
    });
    expect(data['receipt']).toMatchObject({ operation: 'changes.active', filters: call.input });
  });
});

describe('POST /mcp', () => {
  it('[T2.lines] answers start, result and end', async () => {
    await using served = await serveProject();
    const response = await served.post('/mcp', OPEN, NDJSON);
    expect([response.headers.get('content-type'), response.headers.get('cache-control')]).toEqual([
      'application/x-ndjson',
      'no-cache',
    ]);
    const [start, result, end, ...more] = await linesOf(response);
    const ts = expect.any(Number) as number;
    expect(start).toEqual({ type: 'start', ts, tool: 'change.open', apiVersion: '1.0.0' });
    expect(result).toMatchObject({ type: 'result', ts, receipt: { operation: 'change.open' } });
    expect(result?.['result']).toMatchObject({ content: [{}, {}, {}, {}] });
    expect(end).toEqual({ type: 'end', ts });
    expect(more).toEqual([]);
  });
});

describe('[T24.curl, T24.workflows] lines of the seed', () => {
  it.each([
    ['/sse', SSE],
    ['/mcp', NDJSON],
    ['/sse', {}],
    ['/mcp', {}],
  ])('open, list and archive on %s with %o', async (path, accept) => {
    await using served = await serveProject();
    for (const body of [OPEN, { tool: 'changes.active', input: {}, apiVersion: '1.0.0' }, ARCHIVE]) {
      const response = await served.post(path, body, accept);
      expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('result') as string]);
    }
    await expect(stat(join(served.root, 'openspec/changes/user-profile-mgmt'))).rejects.toThrow('ENOENT');
  });

  it('[T24.content-type] curl -d without a content type or token, but not from a page', async () => {
    await using served = await serveProject();
    const form = { 'content-type': 'application/x-www-form-urlencoded', authorization: '' };
    const body = '{"tool":"changes.active","input":{"limit":100}}';
    expect((await served.post('/mcp', body, form)).status).toBe(200);
    expect((await served.post('/mcp', body, { ...form, origin: served.url })).status).toBe(415);
  });
});

describe('[T3.told-apart] bodies', () => {
  it('[T3.resource-read, T11.task-alias, T11.change] reads a resource and echoes its address', async () => {
    await using served = await serveProject();
    await (await served.post('/sse', OPEN)).text();
    for (const path of ['/sse', '/mcp']) {
      const uri = '@task:change://user-profile-mgmt/proposal';
      const response = await served.post(path, { uri, method: 'resource/read' });
      const body = (await response.json()) as { contents: { text: string }[] };
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
      expect(body).toEqual({
        contents: [{ uri, mimeType: 'text/markdown', text: expect.stringContaining('#') as string }],
      });
    }
  });

  const details = (served: Served, body: unknown) =>
    served.post('/sse', body).then(async (response) => {
      const { error } = (await response.json()) as { error: { code: string; details?: unknown } };
      return [response.status, error.code, error.details];
    });

  it.each([
    ['nothing', {}, 'tool', 'required field missing'],
    ['no body', '', 'body', 'must be a JSON object'],
    ['a uri without its method', { uri: 'changes://active' }, 'tool', 'required field missing'],
    ['null', { tool: null, input: {} }, 'tool', 'required field missing'],
    ['a number', { tool: 7 }, 'tool', 'must be a string'],
    ['an empty array', [], 'body', 'a batch of calls goes to /mcp'],
    ['a string', '"x"', 'body', 'must be a JSON object'],
  ])('[T3.else-400, T10.tool-missing] %s', async (_name, body, field, issue) => {
    await using served = await serveProject();
    expect(await details(served, body)).toEqual([400, 'VALIDATION_ERROR', { field, issue }]);
  });
});

describe('a batch of calls on /mcp', () => {
  it('answers each in its order, and goes on behind one that fails', async () => {
    await using served = await serveProject();
    const open = (slug: string) => ({ tool: 'change.open', input: { title: slug, slug } });
    const calls = [
      { id: 'a', ...open('first-one') },
      open('first-one'),
      { id: 3, tool: 'changes.active' },
      { input: {} },
    ];
    const response = await served.post('/mcp', calls);
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = await linesOf(response);
    expect(lines.map(({ type, index, id }) => [type, index, id])).toEqual([
      ['start', 0, 'a'],
      ['result', 0, 'a'],
      ['start', 1, undefined],
      ['error', 1, undefined],
      ['start', 2, 3],
      ['result', 2, 3],
      ['start', 3, undefined],
      ['error', 3, undefined],
      ['end', undefined, undefined],
    ]);
    expect(lines[3]).toMatchObject({ error: { code: 'CHANGE_ALREADY_EXISTS' } });
    expect(lines[5]).toMatchObject({ result: { structuredContent: { total: 1 } } });
    expect(lines[7]).toMatchObject({ error: { code: 'VALIDATION_ERROR' } });
    expect(
      (
        await served.post(
          '/mcp',
          Array.from({ length: 101 }, () => open('x')),
        )
      ).status,
    ).toBe(400);
  });
});
