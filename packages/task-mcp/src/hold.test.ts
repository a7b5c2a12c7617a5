import { CloutError, type ChangeSummary, type Page } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { eventsOf, linesOf, manualClock, serveChanges, until } from './harness.ts';

const EMPTY: Page<ChangeSummary> = { page: 1, pageSize: 50, total: 0, nextPageToken: null, items: [] };
const CALL = { tool: 'changes.active', input: {} };

/** A listing that a test holds and lets go. */
const heldListing = () => {
  let settle: { resolve: (page: Page<ChangeSummary>) => void; reject: (error: Error) => void } | undefined;
  const list = () =>
    new Promise<Page<ChangeSummary>>((resolve, reject) => {
      settle = { resolve, reject };
    });
  return {
    list,
    isHeld: () => settle !== undefined,
    finish: () => settle?.resolve(EMPTY),
    fail: () => settle?.reject(new CloutError('CHANGE_LOCKED', 'held by ann')),
  };
};

describe('[T1.held] a held tool', () => {
  it('sends no byte for 200 ms, and an error until then keeps its status', async () => {
    const clock = manualClock();
    const tool = heldListing();
    await using served = await serveChanges({ list: tool.list }, { clock });
    let answered = false;
    const response = served.post('/sse', CALL, { accept: 'text/event-stream' }).finally(() => {
      answered = true;
    });
    await until(tool.isHeld);
    clock.advance(199);
    await fetch(`${served.url}/healthz`);
    expect(answered).toBe(false);
    tool.fail();
    expect((await response).status).toBe(409);
    expect(await (await response).text()).toMatch(
      /"timestamp":"2023-11-14T22:13:20\.199Z","startedAt":"2023-11-14T22:13:20\.000Z"/u,
    );
    expect(clock.sleepers()).toBe(0);
  });

  it('[T1.status-before, T1.heartbeat] then says 200, beats every 25 s, and fails as an event', async () => {
    const clock = manualClock();
    const tool = heldListing();
    await using served = await serveChanges({ list: tool.list }, { clock });
    const pending = served.post('/sse', CALL, { accept: 'text/event-stream' });
    await until(tool.isHeld);
    clock.advance(200);
    const response = await pending;
    expect(response.status).toBe(200);
    const events = eventsOf(response);
    await until(() => clock.sleepers() === 1);
    clock.advance(25_000);
    expect((await events.next()).value).toEqual({ event: 'heartbeat', data: '{"ts":1700000025200}' });
    await until(() => clock.sleepers() === 1);
    clock.advance(25_000);
    expect((await events.next()).value).toEqual({ event: 'heartbeat', data: '{"ts":1700000050200}' });
    tool.fail();
    const last: unknown = (await events.next()).value;
    expect(last).toMatchObject({ event: 'error', id: response.headers.get('x-request-id') });
    expect(JSON.parse((last as { data: string }).data)).toMatchObject({
      error: { code: 'CHANGE_LOCKED', message: 'held by ann' },
      startedAt: '2023-11-14T22:13:20.000Z',
    });
    expect((await events.next()).done).toBe(true);
  });

  it('[T2.status-before] on NDJSON has start, error and end', async () => {
    const clock = manualClock();
    const tool = heldListing();
    await using served = await serveChanges({ list: tool.list }, { clock });
    const pending = served.post('/mcp', CALL);
    await until(tool.isHeld);
    clock.advance(200);
    const response = await pending;
    tool.fail();
    const lines = await linesOf(response);
    expect(lines.map(({ type }) => type)).toEqual(['start', 'error', 'end']);
    expect([response.status, lines[0]?.['ts'], lines[1]?.['ts']]).toEqual([200, 1_700_000_000_000, 1_700_000_000_200]);
  });

  it('[T25.requests] comes to its result while the server stops', async () => {
    const clock = manualClock();
    const tool = heldListing();
    await using served = await serveChanges({ list: tool.list }, { clock });
    const pending = served.post('/sse', CALL);
    await until(tool.isHeld);
    clock.advance(200);
    const response = await pending;
    const drained = served.drain(10_000);
    tool.finish();
    expect(await response.text()).toContain('event: result\n');
    await drained;
  });
});
