import { openProject } from '@cloutagent/openspec';
import { describe, expect, it } from 'vitest';
import { systemClock } from '@cloutagent/kit';
import { changesOf, type Asked } from './changes.ts';
import { allEventsOf, linesOf, manualClock, serveChanges, serveProject, until, type ManualClock } from './harness.ts';

const OPEN = { tool: 'change.open', input: { title: 'Slow', slug: 'slow' } };

/** A change that takes as long as nobody stops it. */
const slowOpening = () => {
  const seen: { held: boolean; reason?: unknown } = { held: false };
  const open = (_input: unknown, _by: unknown, { signal }: Asked = {}): Promise<never> =>
    new Promise((_resolve, reject) => {
      seen.held = true;
      signal?.addEventListener('abort', () => {
        seen.reason = signal.reason;
        reject(signal.reason as Error);
      });
    });
  return { seen, open };
};

const held = async (path: string, clock: ManualClock, tool: ReturnType<typeof slowOpening>) => {
  const served = await serveChanges({ open: tool.open }, { clock, front: { requestTimeoutMs: 30_000 } });
  const pending = served.post(path, OPEN);
  await until(() => tool.seen.held);
  return { served, pending };
};

describe('[T14.timeout] a tool over REQUEST_TIMEOUT_MS', () => {
  it('is cancelled, and the event stream says so in the form of the seed', async () => {
    const clock = manualClock();
    const tool = slowOpening();
    const { served, pending } = await held('/sse', clock, tool);
    await using _ = served;
    clock.advance(200);
    const response = await pending;
    clock.advance(29_800);
    const event = (await allEventsOf(response)).at(-1);
    expect(event).toMatchObject({ event: 'error', id: response.headers.get('x-request-id') });
    expect(JSON.parse(event?.data ?? '')).toMatchObject({
      apiVersion: '1.0.0',
      startedAt: new Date(1_700_000_000_000).toISOString(),
      error: {
        code: 'REQUEST_TIMEOUT',
        message: 'Request timed out after 30 seconds',
        hint: 'Try reducing the complexity of your request or check server performance',
      },
    });
    expect(tool.seen.reason).toMatchObject({ code: 'REQUEST_TIMEOUT' });
  });

  it('ends NDJSON with an error line and the end', async () => {
    const clock = manualClock();
    const tool = slowOpening();
    const { served, pending } = await held('/mcp', clock, tool);
    await using _ = served;
    clock.advance(200);
    const response = await pending;
    clock.advance(29_800);
    const lines = await linesOf(response);
    expect(lines.map(({ type }) => type)).toEqual(['start', 'error', 'end']);
    expect(lines[1]).toMatchObject({ error: { code: 'REQUEST_TIMEOUT' } });
  });

  it('is cancelled when its caller goes away', async () => {
    const tool = slowOpening();
    await using served = await serveChanges({ open: tool.open }, { clock: systemClock });
    const caller = new AbortController();
    const pending = fetch(`${served.url}/mcp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(OPEN),
      signal: caller.signal,
    });
    await until(() => tool.seen.held);
    caller.abort();
    await expect(pending).rejects.toThrow('aborted');
    await until(() => tool.seen.reason !== undefined);
  });
});

/** Milliseconds of the processor for one of ten goes, the best: what the neighbours do falls on the others. */
const leastCpuMs = async (work: () => Promise<void>): Promise<number> => {
  const times: number[] = [];
  for (let round = 0; round < 10; round += 1) {
    const from = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(from);
    times.push((user + system) / 1000);
  }
  return Math.min(...times);
};

/** What an address may be made of to make a look long. */
const crafted = (length: number): readonly (readonly [string, string])[] => [
  ['letters', `change://${'a-'.repeat(length / 2)}/proposal`],
  ['slashes', `change://x${'/'.repeat(length)}`],
  ['escapes', `change://x/delta/${'%2e%2e%2f'.repeat(length / 9)}`],
  ['half escapes', `change://x/delta/${'%'.repeat(length)}`],
  ['parameters', `changes://active?${'page=1&'.repeat(length / 7)}`],
  ['question marks', `changes://active${'?'.repeat(length)}`],
  ['a prefix', `@${'a'.repeat(length)}:change://x/proposal`],
  ['blanks', `change://${' '.repeat(length)}x`],
];

describe('[H18] a crafted resource address', () => {
  it.each(crafted(64_000))(
    'of 64 KB of %s is answered, and 8 KB of them cost less than 5 ms as well',
    async (name, uri) => {
      await using served = await serveProject();
      const params = { uri };
      expect((await served.post('/mcp', { uri, method: 'resource/read' })).status).toBeLessThan(500);
      const rpc = await served.post('/mcp', { jsonrpc: '2.0', id: 1, method: 'resources/read', params });
      expect(await rpc.json()).toMatchObject({ error: { code: -32602 } });
      const changes = changesOf(await openProject(served.root, { clock: systemClock, caller: 'tester' }));
      // Just below the bound on addresses, where all of it is looked at.
      const shorter = new Map(crafted(8000)).get(name) ?? '';
      for (const address of [uri, shorter]) {
        expect(await leastCpuMs(() => changes.read(address).then(...BOTH))).toBeLessThan(5);
      }
    },
  );
});

/** Whether it is found does not matter here. */
const BOTH = [() => undefined, () => undefined] as const;
