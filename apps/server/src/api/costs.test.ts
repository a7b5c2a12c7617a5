import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CostSummary } from '@cloutagent/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog, startServer, type RunningServer } from '../index.ts';
import { fill, usage } from './costs.fake.ts';

let root: string;
let server: RunningServer;

beforeEach(async () => {
  root = await realpath(await mkdtemp(path.join(tmpdir(), 'clout-costs-')));
  await fill(root);
  server = await startServer({
    root,
    port: 0,
    host: '127.0.0.1',
    environment: { AUTH_TOKENS: 'user-token', XDG_CONFIG_HOME: root, RATE_LIMIT: '0' },
    user: 'ann',
    log: createLog('silent'),
    simulatorCommand: [process.execPath, '-e', ''],
  });
});
afterEach(async () => {
  await server.close();
  await rm(root, { recursive: true, force: true });
});

const call = async (method: string, where: string, body?: unknown, token = server.token) => {
  const answer = await fetch(server.url + where, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  // Answers of an untyped wire: each test names what it expects of them.
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};
const PROJECT = '/api/projects/default/costs';
const today = (): string => new Date(Date.now()).toISOString().slice(0, 10);

describe('[E12.cost E12.routes] GET /api/projects/:id/costs/summary', () => {
  it("answers the seed's summary, and everything that the ledger knows beside it, exactly", async () => {
    const { status, body } = await call('GET', `${PROJECT}/summary?start=2020-01-01&end=2100-01-01`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      projectId: 'default',
      totalCost: 0.0265,
      executionCount: 2,
      periodStart: '2020-01-01T00:00:00.000Z',
      periodEnd: '2100-01-01T00:00:00.000Z',
      costByModel: { 'claude-sonnet-5-5': 0.0265 },
      costByDay: [{ date: today(), cost: 0.0265 }],
    });
    const summary = body as unknown as CostSummary;
    expect(summary.total).toEqual({ usd: '0.026500000', nanoUsd: 26_500_000 });
    expect([summary.calls, summary.unknownOutcomes]).toEqual([
      4,
      { calls: 2, cost: { usd: '0.020000000', nanoUsd: 20_000_000 } },
    ]);
    const keys = (rows: CostSummary['byNode']) => rows.map(({ key, cost, calls }) => [key, cost.nanoUsd, calls]);
    expect(keys(summary.byUser)).toEqual([
      ['ann', 13_250_000, 2],
      ['bob', 13_250_000, 2],
    ]);
    expect(keys(summary.byChange)).toEqual([
      ['change_a', 13_250_000, 2],
      ['change_b', 13_250_000, 2],
    ]);
    expect(keys(summary.byNode)).toEqual([
      ['change_a task[1]', 13_250_000, 2],
      ['change_b task[1]', 13_250_000, 2],
    ]);
    expect(summary.byModel[0]?.usage).toEqual({
      ...usage,
      inputTokens: 2000,
      cacheReadTokens: 10_000,
      cacheWrite5mTokens: 200,
      outputTokens: 100,
    });
    // 10,000 tokens at $0.10 instead of $2, less 200 at $2.50 instead of $2 a million.
    expect(summary.cacheSavings.nanoUsd).toBe(19_000_000 - 100_000);
  });

  it('counts only what was reserved in the time that was asked for, and simulated money apart', async () => {
    expect((await call('GET', `${PROJECT}/summary?start=2020-01-01&end=2020-02-01`)).body).toMatchObject({
      totalCost: 0,
      executionCount: 0,
      costByDay: [],
    });
    expect((await call('GET', `${PROJECT}/summary?simulated=true`)).body).toMatchObject({ totalCost: 0 });
    expect((await call('GET', `${PROJECT}/summary`)).body).toMatchObject({ totalCost: 0.0265 });
  });

  it('refuses a time that is none, and a project that is not here', async () => {
    expect((await call('GET', `${PROJECT}/summary?start=soon`)).status).toBe(400);
    expect((await call('GET', `${PROJECT}/summary?start=2026-02-01&end=2026-01-01`)).status).toBe(400);
    expect((await call('GET', '/api/projects/other/costs/summary')).body).toMatchObject({
      error: { code: 'PROJECT_NOT_FOUND' },
    });
  });
});

describe('[E12.limits E12.routes] POST /api/projects/:id/costs/limit', () => {
  const budgets = async (query = '') =>
    ((await call('GET', `${PROJECT}/budgets${query}`)).body as { budgets: Record<string, unknown>[] }).budgets;

  it("takes the seed's limit, with the thresholds of its alerts, and answers {success: true}", async () => {
    const limit = {
      projectId: 'default',
      limitType: 'daily',
      limitAmount: 0.05,
      currentSpend: 0,
      alertThresholds: [50, 80],
    };
    expect(await call('POST', `${PROJECT}/limit`, limit)).toEqual({ status: 200, body: { success: true } });
    expect((await budgets()).find(({ slot }) => slot === today())).toMatchObject({
      scope: 'project',
      id: 'default',
      period: 'day',
      limit: { nanoUsd: 50_000_000 },
      spent: { nanoUsd: 26_500_000 },
      free: { nanoUsd: 23_500_000 },
      alertThresholds: [50, 80],
      resetsAt: `${new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)}T00:00:00.000Z`,
    });
    // Half of it was spent before.
    expect((await call('GET', `${PROJECT}/alerts`)).body).toMatchObject({ alerts: [{ percent: 50, slot: today() }] });
    expect((await call('GET', `${PROJECT}/alerts?after=1`)).body).toEqual({ alerts: [] });
  });

  it('takes limits of all levels and periods, says who set them, and takes them away', async () => {
    for (const body of [
      { limitType: 'weekly', limitAmount: '1.000000001', scope: 'global' },
      { limitType: 'monthly', limitAmount: 2, scope: 'user', id: 'ann' },
      { limitType: 'lifetime', limitAmount: 3, scope: 'change', id: 'change_a' },
      { limitType: 'lifetime', limitAmount: 4, scope: 'run', id: 'run_a' },
    ])
      expect((await call('POST', `${PROJECT}/limit`, body)).body).toEqual({ success: true });
    const limited = (await budgets('?run=run_a')).flatMap(({ scope, limit }) =>
      limit === null ? [] : [[scope, (limit as { nanoUsd: number }).nanoUsd]],
    );
    expect(limited).toEqual([
      ['global', 1_000_000_001],
      ['project', 20_000_000_000],
      ['user', 2_000_000_000],
      ['change', 3_000_000_000],
      ['run', 4_000_000_000],
      ['task', 1_000_000_000],
    ]);
    await call('POST', `${PROJECT}/limit`, { limitType: 'lifetime', limitAmount: null });
    expect((await budgets()).find(({ scope }) => scope === 'project')).toMatchObject({ limit: null });
    const { body } = await call('GET', `${PROJECT}/budgets`);
    expect(body['changes']).toMatchObject([
      {
        scope: 'project',
        before: { nanoUsd: 20_000_000_000 },
        after: null,
        by: expect.stringMatching(/^admin-/u) as string,
      },
      { scope: 'run' },
      { scope: 'change' },
      { scope: 'user' },
      { scope: 'global' },
      { scope: 'project', by: 'config.yaml' },
    ]);
  });

  it('[X1.raise-admin] refuses who may not administer, amounts that are none, and levels without an owner', async () => {
    const limit = { limitType: 'daily', limitAmount: 1 };
    expect((await call('POST', `${PROJECT}/limit`, limit, 'user-token')).status).toBe(403);
    for (const wrong of [
      { ...limit, limitAmount: -1 },
      { ...limit, limitAmount: 'much' },
      { ...limit, limitType: 'hourly' },
      { ...limit, scope: 'user' },
      { ...limit, alertThresholds: [0] },
    ])
      expect((await call('POST', `${PROJECT}/limit`, wrong)).status, JSON.stringify(wrong)).toBe(400);
    expect(
      (await call('POST', `${PROJECT}/limit`, { ...limit, limitType: 'lifetime', scope: 'run', id: 'none' })).status,
    ).toBe(404);
  });
});

describe('[E12.estimate E12.routes] POST /api/costs/estimate', () => {
  it('answers before a run', async () => {
    const body = { model: 'claude-opus-5-5', estimatedPromptTokens: 1000, estimatedCompletionTokens: 200 };
    expect((await call('POST', '/api/costs/estimate', body)).body).toEqual({
      estimatedCost: 0.008,
      cost: { usd: '0.008000000', nanoUsd: 8_000_000 },
      priceId: 'claude-opus-5-5@2026-11-20',
      pricesAsOf: '2026-11-20',
    });
    expect((await call('POST', '/api/costs/estimate', { ...body, model: 'gpt-9' })).body).toMatchObject({
      error: { code: 'PRICE_UNKNOWN' },
    });
    expect((await call('POST', '/api/costs/estimate', { ...body, estimatedPromptTokens: -1 })).status).toBe(400);
  });

  it('from a table that can be read', async () => {
    const { body } = await call('GET', '/api/costs/prices');
    const rows = body['prices'] as { model: string }[];
    expect(rows.find(({ model }) => model === 'claude-haiku-5-5')).toMatchObject({
      input: 0.1,
      output: 0.5,
      cacheRead: 0.01,
      above: { promptTokens: 100_000, input: 0.5 },
    });
    expect(new Set(rows.map(({ model }) => model)).size).toBe(rows.length);
  });
});

describe('[X1.alerts] GET /api/costs/alerts/events', () => {
  it('gives stored alerts, then new ones as they come, and goes on behind the last one seen', async () => {
    const read = async (after: number, count: number): Promise<string[]> => {
      const controller = new AbortController();
      const answer = await fetch(`${server.url}/api/costs/alerts/events?after=${after}`, {
        headers: { authorization: `Bearer ${server.token}` },
        signal: controller.signal,
      });
      let text = '';
      for await (const chunk of answer.body ?? []) {
        text += Buffer.from(chunk as Uint8Array).toString();
        if (text.split('event: alert').length > count) break;
      }
      controller.abort();
      return [...text.matchAll(/"percent":(\d+)/gu)].map((match) => match[1] ?? '');
    };
    const limit = { limitType: 'lifetime', limitAmount: 0.05 };
    const waiting = read(0, 2);
    await call('POST', `${PROJECT}/limit`, { ...limit, alertThresholds: [50] });
    await call('POST', `${PROJECT}/limit`, { ...limit, limitAmount: 0.03, alertThresholds: [80] });
    expect(await waiting).toEqual(['50', '80']);
    expect(await read(1, 1)).toEqual(['80']);
  });
});

describe('GET /api/doctor', () => {
  it('says that all holds, check by check, and only to an administrator', async () => {
    const { body } = await call('GET', '/api/doctor');
    const checks = body['checks'] as { name: string; ok: boolean; detail: string }[];
    expect(checks.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(['project']);
    expect(checks.find(({ name }) => name === 'ledger')?.detail).toContain('spent equals the settled ledger');
    expect((await call('GET', '/api/doctor', undefined, 'user-token')).status).toBe(403);
  });
});
