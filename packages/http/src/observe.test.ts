import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloutError } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { openAudit, openLineFile } from './audit.ts';
import { debugNames } from './debug.ts';
import { manualClock, start, until } from './harness.ts';
import { openMeasures } from './measure.ts';
import type { AuditEvent, Route } from './types.ts';

const tokens = { user: ['canary-user-token'], admin: ['canary-admin-token'] };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

const write: Route = {
  method: 'POST',
  path: '/things/:id',
  scope: 'run',
  handler: async (context) => {
    await context.readJson();
    context.note({ tool: 'thing.make' });
    return { kind: 'json', body: {} };
  },
};
const failing: Route = {
  method: 'GET',
  path: '/fail',
  scope: 'read',
  handler: () => {
    throw new CloutError('STORAGE_FULL', 'no room', { cause: new Error('ENOSPC /var/data/größe') });
  },
};

describe('[T17.audit] audit log', () => {
  it('says who did what and how it ended, for every write and every refusal', async () => {
    const events: AuditEvent[] = [];
    await using running = await start([write, failing], { tokens, audit: (event) => events.push(event) });
    const json = { 'content-type': 'application/json' };
    const post = (headers: Record<string, string>, body = '{}') =>
      fetch(`${running.url}/things/7?key=canary-query`, { method: 'POST', headers: { ...json, ...headers }, body });
    const answer = await post(bearer('canary-user-token'));
    await post(bearer('canary-wrong-token'));
    await post(bearer('canary-user-token'), 'no json');
    await fetch(`${running.url}/fail`, { headers: bearer('canary-user-token') });
    await fetch(`${running.url}/fail`);
    await until(() => events.length === 4);
    expect(events[0]).toEqual({
      at: expect.stringMatching(/^\d{4}-/u) as string,
      requestId: answer.headers.get('x-request-id'),
      who: expect.stringMatching(/^user-[0-9a-f]{8}$/u) as string,
      tokenId: expect.stringMatching(/^[0-9a-f]{16}$/u) as string,
      address: '127.0.0.1',
      method: 'POST',
      route: '/things/:id',
      status: 200,
      result: 'ok',
      ms: expect.any(Number) as number,
      tool: 'thing.make',
    });
    expect(events.map(({ who, status, result, code }) => [who.split('-')[0], status, result, code])).toEqual([
      ['user', 200, 'ok', undefined],
      ['anonymous', 401, 'denied', 'AUTHENTICATION_FAILED'],
      ['user', 400, 'failed', 'VALIDATION_ERROR'],
      ['anonymous', 401, 'denied', 'AUTHENTICATION_FAILED'],
    ]);
    expect(running.front.stats().audit.events).toBe(4);
  });

  it('tells a failure that came to light after the status was sent', async () => {
    const events: AuditEvent[] = [];
    const late: Route = {
      ...write,
      handler: (context) => {
        context.note({ code: 'CHANGE_LOCKED' });
        return { kind: 'json', body: {} };
      },
    };
    await using running = await start([late], { audit: (event) => events.push(event) });
    await fetch(`${running.url}/things/7`, { method: 'POST' });
    await until(() => events.length === 1);
    expect(events).toMatchObject([{ status: 200, result: 'failed', code: 'CHANGE_LOCKED' }]);
  });

  it('[T17.secrets] shows no secret, whatever way it came, and neither does the log or an answer', async () => {
    const events: AuditEvent[] = [];
    await using running = await start([write, failing], { tokens, audit: (event) => events.push(event) });
    const seen: string[] = [];
    const call = async (path: string, init: RequestInit): Promise<void> => {
      const response = await fetch(running.url + path, init);
      seen.push(JSON.stringify([...response.headers]), await response.text());
    };
    const body = JSON.stringify({ password: 'canary-body' });
    const headers = { 'content-type': 'application/json', 'x-debug': 'true' };
    await call('/things/1?token=canary-query', { method: 'POST', headers, body });
    await call('/things/1', { method: 'POST', headers: { ...headers, ...bearer('canary-user-token') }, body });
    await call('/things/1', { method: 'POST', headers: { ...headers, ...bearer('canary-wrong-token') }, body });
    await call('/fail', { headers: { ...headers, cookie: 'task-mcp-auth=canary-admin-token' } });
    await call('/none?x=canary-query', { headers: { ...headers, authorization: 'Basic canary-basic' } });
    await until(() => running.logs.filter(({ message }) => message === 'request').length === 5);
    const shown = JSON.stringify([seen, events, running.logs], (_key, value: unknown) =>
      value instanceof Error ? [value.message, value.stack, value.cause] : value,
    );
    expect(shown).not.toContain('canary');
    expect(events.length).toBe(3);
  });

  it('goes to a file of mode 0600 that is turned over when it is full, or to the log', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'audit-'));
    try {
      const lost: string[] = [];
      const file = openLineFile(join(folder, 'a.jsonl'), (_level, message) => lost.push(message), 100);
      for (let index = 0; index < 10; index += 1) {
        file.append(`line ${index} ${'x'.repeat(30)}`);
        await file.flush();
      }
      expect((await stat(join(folder, 'a.jsonl'))).mode & 0o777).toBe(0o600);
      const kept = [
        await readFile(join(folder, 'a.jsonl.1'), 'utf8'),
        await readFile(join(folder, 'a.jsonl'), 'utf8'),
      ].join('');
      expect(kept.match(/line \d/gu)).toEqual(['line 6', 'line 7', 'line 8', 'line 9']);
      expect(lost).toEqual([]);
      const nowhere = openLineFile(join(folder, 'none', 'a.jsonl'), (_level, message) => lost.push(message));
      nowhere.append('x');
      await nowhere.flush();
      expect(lost).toEqual(['audit lines were lost']);
      const logged: unknown[] = [];
      openAudit('stderr', (...line) => logged.push(line)).write({ route: '/x' } as unknown as AuditEvent);
      expect(logged).toEqual([['info', 'audit', { route: '/x' }]]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('[T17.debug-header] X-Debug', () => {
  it('adds detail only with a token, and causes only for an administrator', async () => {
    await using running = await start([write, failing], { tokens: { ...tokens, user: [] } });
    const ask = async (headers: Record<string, string>): Promise<string | null> =>
      (await fetch(`${running.url}/fail`, { headers: { 'x-debug': 'true', ...headers } })).headers.get('x-debug');
    expect(await ask({})).toBeNull();
    expect(await ask(bearer('anything'))).toBeNull();
    expect(await ask({ ...bearer('canary-admin-token'), 'x-debug': 'false' })).toBeNull();
    const detail = JSON.parse((await ask(bearer('canary-admin-token'))) ?? '') as object;
    expect(detail).toMatchObject({
      route: 'GET /fail',
      code: 'STORAGE_FULL',
      causes: ['no room', 'ENOSPC /var/data/größe'],
    });
    await using strict = await start([write, failing], { tokens });
    const answer = await fetch(`${strict.url}/fail`, {
      headers: { 'x-debug': 'true', ...bearer('canary-user-token') },
    });
    expect(answer.headers.get('x-debug')).toContain('STORAGE_FULL');
    expect(answer.headers.get('x-debug')).not.toContain('ENOSPC');
  });

  it('is answered to nobody where it is switched off', async () => {
    await using running = await start([failing], { tokens, debugHeader: false });
    const headers = { 'x-debug': 'true', ...bearer('canary-admin-token') };
    const answer = await fetch(`${running.url}/fail`, { headers });
    expect([answer.status, answer.headers.get('x-debug')]).toEqual([507, null]);
  });

  it('[T17.level] DEBUG names lines as the debug package does', () => {
    const names = (setting: string | undefined) =>
      ['task-mcp:http', 'task-mcp:auth', 'other'].map((name) => debugNames(setting)(name));
    expect(names('task-mcp:*')).toEqual([true, true, false]);
    expect(names('*,-task-mcp:auth')).toEqual([true, false, true]);
    expect(names('task-mcp:auth other')).toEqual([false, true, true]);
    expect(names(undefined)).toEqual([false, false, false]);
  });
});

describe('[T4.measured] measures', () => {
  it('are within 5 % of the truth and forget after ten minutes', () => {
    const clock = manualClock();
    const measures = openMeasures(clock);
    for (let ms = 1; ms <= 1000; ms += 1) measures.record('GET', '/x', ms, ms > 990);
    const { recent, requests, errors } = measures.total();
    expect([requests, errors, recent.count, recent.errors]).toEqual([1000, 10, 1000, 10]);
    for (const [found, truth] of [
      [recent.p50, 500],
      [recent.p95, 950],
      [recent.p99, 990],
    ] as const)
      expect(Math.abs((found ?? 0) / truth - 1)).toBeLessThan(0.05);
    expect(measures.routes()).toMatchObject([{ method: 'GET', route: '/x', count: 1000, errors: 10, sumMs: 500_500 }]);
    clock.advance(5 * 60_000);
    measures.record('GET', '/y', 5, false);
    expect(measures.total().recent.count).toBe(1001);
    clock.advance(5 * 60_000);
    expect(measures.total().recent.count).toBe(1);
    clock.advance(5 * 60_000);
    expect(measures.total()).toMatchObject({ requests: 1001, recent: { count: 0, p50: null } });
  });

  it('count by declared route, so that callers cannot fill the memory with names', async () => {
    await using running = await start([write, failing]);
    for (let index = 0; index < 5; index += 1) await fetch(`${running.url}/made-up-${index}`, { method: 'PUT' });
    await fetch(`${running.url}/fail`);
    await until(() => running.front.stats().requests === 6);
    const { routes, errors, inFlight, connections } = running.front.stats();
    expect(routes.map(({ method, route, count }) => [method, route, count])).toEqual([
      ['ANY', '(none)', 5],
      ['GET', '/fail', 1],
    ]);
    expect([errors, inFlight]).toEqual([1, 0]);
    expect(connections).toBeGreaterThan(0);
  });
});
