import { describe, expect, it } from 'vitest';
import { systemClock } from '@cloutagent/kit';
import { allEventsOf, linesOf, manualClock, serveChanges, serveProject, until, type ManualClock } from './harness.ts';

const OPEN = { tool: 'change.open', input: { title: 'Slow', slug: 'slow' } };

/** A change that takes as long as nobody stops it. */
const slowOpening = () => {
  const seen: { held: boolean; reason?: unknown } = { held: false };
  const open = (_input: unknown, _by: unknown, signal?: AbortSignal): Promise<never> =>
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

// A look that grows with the square of the length would take longer than a test may.
describe('[H18] a crafted resource address', () => {
  it.each([
    ['of 64 KB', `change://${'a-'.repeat(32_000)}/proposal`],
    ['of many slashes', `change://x${'/'.repeat(64_000)}`],
    ['of many escapes', `change://x/delta/${'%2e%2e%2f'.repeat(7000)}`],
    ['of many parameters', `changes://active?${'page=1&'.repeat(9000)}`],
    ['with a long prefix', `@${'a'.repeat(64_000)}:change://x/proposal`],
  ])('%s is answered without a long look', async (_name, uri) => {
    await using served = await serveProject();
    const response = await served.post('/mcp', { uri, method: 'resource/read' });
    expect(response.status).toBeLessThan(500);
  });
});
