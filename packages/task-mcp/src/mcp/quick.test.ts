import { CloutError, type ChangeSummary } from '@cloutagent/contract';
import type { RequestContext } from '@cloutagent/http';
import { describe, expect, it } from 'vitest';
import type { Changes } from '../changes.ts';
import { manualClock, serveChanges, type Served } from '../harness.ts';
import { ENVELOPE, modernHeaders, shakeHands } from './http-harness.ts';
import { openQuick } from './quick.ts';
import { makeMcpServer } from './server.ts';

const ITEM: ChangeSummary = {
  slug: 'a-change',
  title: 'A “change”',
  status: 'draft',
  createdAt: '2026-11-20T10:00:00.000Z',
  updatedAt: '2026-11-20T10:00:00.000Z',
  tasks: { done: 1, total: 2 },
  paths: { root: '/p/a-change', proposal: '/p/a-change/proposal.md', tasks: '/p/a-change/tasks.md' },
};
const PAGE = { page: 1, pageSize: 50, total: 1, items: [ITEM] };

const changes: Changes = {
  root: '/p',
  openspecDir: '/p/openspec',
  open: ({ slug }) =>
    slug === 'taken'
      ? Promise.reject(new CloutError('CHANGE_LOCKED', 'held by ann'))
      : Promise.resolve({ change: { ...ITEM, slug }, resumed: false, files: ['proposal.md', 'specs/x/spec.md'] }),
  archive: () => Promise.reject(new Error('a disk that is full')),
  list: ({ limit }) => Promise.resolve({ ...PAGE, nextPageToken: limit === 1 ? 'more' : null }),
  resources: () => Promise.resolve({ items: [], nextOffset: null }),
  read(uri) {
    if (uri.endsWith('/tasks')) return Promise.resolve({ uri, mimeType: 'text/markdown', text: '- [ ] 1.1 “First”\n' });
    if (uri.endsWith('/broken')) return Promise.reject(new Error('a disk that is gone'));
    return Promise.reject(new CloutError('RESOURCE_NOT_FOUND', 'There is no such resource'));
  },
  watch: () => () => undefined,
};

const deps = { changes, clock: manualClock(), log: () => undefined, version: '9.9.9', maxResponseBytes: 1024 * 1024 };

/** The same server without the short way: whoever brings a factory gets the SDK's answers alone. */
const serveSlow = (): Promise<Served> =>
  serveChanges(changes, {
    clock: deps.clock,
    factory: ({ caller, era, sessionId }) =>
      makeMcpServer(deps, { caller, era, own: sessionId !== undefined, tasks: era === 'modern' }),
  });

const OPEN = { title: 'T', slug: 'a-change', template: 'feature' };
const call = (name: unknown, args?: unknown, more: object = {}) => ({
  method: 'tools/call',
  params: { name, ...(args === undefined ? {} : { arguments: args }), ...more },
});
const read = (uri: unknown, more: object = {}) => ({ method: 'resources/read', params: { uri, ...more } });

const ASKED: readonly { method: string; params: Record<string, unknown> }[] = [
  call('changes.active', {}),
  call('changes.active'),
  call('changes_active', { limit: 1 }),
  call('changes.active', { limit: 'many' }),
  call('changes.active', { limit: null, unknown: 1 }),
  call('changes.active', []),
  call('changes.active', 'text'),
  call('changes.active', null),
  call('changes.active', {}, { task: { ttl: 1000 } }),
  call('changes.active', {}, { extra: true }),
  call('change.open', OPEN),
  call('change_open', { ...OPEN, slug: 'Not A Slug' }),
  call('change.open', { ...OPEN, slug: 'taken' }),
  call('change.archive', { slug: 'a-change' }),
  call('nothing.such', {}),
  call('not a name!', {}),
  call(7, {}),
  read('change://a-change/tasks'),
  read('@task:change://a-change/tasks'),
  read('change://a-change/nothing'),
  read('change://a-change/broken'),
  read('change://a-change/tasks', { extra: true }),
  read(7),
  read(undefined),
];
const METAS: readonly Record<string, unknown>[] = [
  { progressToken: 7 },
  { progressToken: 1.5 },
  { progressToken: {} },
  { 'com.example/mine': [1] },
];

/** Every request plain and with a token of progress, as clients send them, and some with what none should send. */
const CASES = [
  ...ASKED.flatMap((asked) => [{}, { progressToken: 'p' }].map((meta) => ({ asked, meta }))),
  ...[ASKED[0]!, ASKED[10]!, read('change://a-change/tasks')].flatMap((asked) =>
    METAS.map((meta) => ({ asked, meta })),
  ),
];

interface Told {
  readonly status: number;
  readonly type: string | null;
  readonly body: unknown;
}

const told = async (response: Response): Promise<Told> => {
  // Ids differ from call to call, also without the short way.
  const text = (await response.text()).replaceAll(/rcp_[0-9a-f]{32}/gu, 'rcp_');
  return { status: response.status, type: response.headers.get('content-type'), body: JSON.parse(text) as unknown };
};

const legacyPost = (served: Served, asked: object, meta: object, headers: Record<string, string>) => {
  const { method, params } = asked as (typeof ASKED)[number];
  const _meta = Object.keys(meta).length === 0 ? {} : { _meta: meta };
  return served.post('/mcp', { jsonrpc: '2.0', id: 'one', method, params: { ...params, ..._meta } }, headers);
};

const modernPost = (served: Served, asked: object, meta: object) => {
  const { method, params } = asked as (typeof ASKED)[number];
  const named = params['name'] ?? params['uri'];
  const body = { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: { ...ENVELOPE, ...meta } } };
  return served.post('/mcp', body, modernHeaders(method, typeof named === 'string' ? named : undefined));
};

describe('[T3.era-stateless, T3.era-initialize] the short way', { timeout: 60_000 }, () => {
  it('answers in the stateless era as the SDK does', async () => {
    await using quick = await serveChanges(changes, { clock: deps.clock });
    await using slow = await serveSlow();
    // What the first answer teaches is used by those after it.
    for (const { asked, meta } of [...CASES, ...CASES.slice(0, 4)]) {
      const expected = await told(await modernPost(slow, asked, meta));
      expect(await told(await modernPost(quick, asked, meta)), JSON.stringify([asked, meta])).toEqual(expected);
    }
  });

  it.each(['without a session', 'in a session'])('answers before that era as the SDK does, %s', async (kind) => {
    await using quick = await serveChanges(changes, { clock: deps.clock });
    await using slow = await serveSlow();
    const headersOf = async (served: Served): Promise<Record<string, string>> =>
      kind === 'in a session'
        ? { 'mcp-session-id': await shakeHands(served), 'mcp-protocol-version': '2025-11-25' }
        : {};
    const [quickly, slowly] = [await headersOf(quick), await headersOf(slow)];
    for (const { asked, meta } of CASES) {
      const expected = await told(await legacyPost(slow, asked, meta, slowly));
      const answered = await told(await legacyPost(quick, asked, meta, quickly));
      expect(answered, JSON.stringify([asked, meta])).toEqual(expected);
    }
  });

  it('refuses sessions, revisions and messages as the SDK does', async () => {
    await using quick = await serveChanges(changes, { clock: deps.clock });
    await using slow = await serveSlow();
    const asked = call('changes.active', {});
    const bodies = [
      { jsonrpc: '2.0', id: 1, ...asked, extra: 1 },
      { jsonrpc: '2.0', id: 1.5, ...asked },
      { jsonrpc: '2.0', id: null, ...asked },
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: [] },
      { jsonrpc: '2.0', id: 1, method: 'tools/call' },
      { jsonrpc: '1.0', id: 1, ...asked },
      [{ jsonrpc: '2.0', id: 1, ...asked }],
    ];
    const heads = [{}, { 'mcp-session-id': 'nobody' }, { 'mcp-protocol-version': '1999-01-01' }];
    for (const body of bodies) {
      for (const head of heads) {
        const expected = await told(await slow.post('/mcp', body, head));
        expect(await told(await quick.post('/mcp', body, head)), JSON.stringify([body, head])).toEqual(expected);
      }
    }
  });

  it('is taken for what clients send all day, and for nothing else', async () => {
    const quick = openQuick(deps, { name: 'task', version: '9.9.9' });
    // What it asks of a request is who sent it.
    const context = { principal: { name: 'local', scopes: ['read', 'run'] }, remoteAddress: '127.0.0.1' } as const;
    const isTaken = async (era: 'legacy' | 'modern', asked: (typeof ASKED)[number]): Promise<boolean> =>
      (await quick.answer(context as unknown as RequestContext, era, { jsonrpc: '2.0', id: 1, ...asked })) !==
      undefined;
    const plain = [call('changes.active', {}), call('change_open', OPEN), read('change://a-change/tasks')];
    for (const asked of plain) expect(await isTaken('legacy', asked)).toBe(true);
    const wrapped = call('changes.active', {}, { _meta: { ...ENVELOPE, progressToken: 1 } });
    expect(await isTaken('modern', wrapped)).toBe(false);
    quick.learn(wrapped, { kind: 'json', body: { jsonrpc: '2.0', id: 1, error: { code: -32602, message: 'no' } } });
    expect(await isTaken('modern', wrapped)).toBe(false);
    quick.learn(wrapped, { kind: 'json', body: { jsonrpc: '2.0', id: 1, result: {} } });
    expect(await isTaken('modern', { ...wrapped, params: { ...wrapped.params, _meta: ENVELOPE } })).toBe(true);
    for (const asked of [
      call('change.archive', { slug: 'a-change' }),
      call('nothing', {}),
      { ...plain[0]!, method: 'ping' },
    ])
      expect(await isTaken('legacy', asked)).toBe(false);
  });
});
