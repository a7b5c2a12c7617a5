import { createServer } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CostAlert, MoneyOp, NewRun } from '@cloutagent/contract';
import { systemClock, type Clock } from '@cloutagent/kit';
import { openStore } from '@cloutagent/store';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../config.ts';
import { applyConfiguredLimit } from './configured-limit.ts';
import { AlertCourier, sayAlert, signWebhook } from './courier.ts';
import { BudgetResumer } from './resume.ts';

const SECRET = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
const PROJECT = { scope: 'project', id: 'default' } as const;
const NO_LOG = (): void => undefined;

const newRun = (id: string): NewRun => ({
  id,
  projectId: 'default',
  document: {
    format: 1,
    kind: 'change',
    slug: id,
    title: '',
    model: 'm',
    maxIterations: 1,
    maxAttempts: 1,
    maxTokens: 1,
    system: '',
    tasks: [],
  },
  documentHash: '',
  simulated: false,
  limitNanoUsd: null,
});
const reserve = (id: string, amountNanoUsd: number): MoneyOp => ({
  op: 'reserve',
  id,
  stepKey: 'a',
  attempt: 1,
  model: 'm',
  priceId: 'p',
  amountNanoUsd,
});
const settle = (id: string, amountNanoUsd: number): MoneyOp => ({
  op: 'settle',
  id,
  outcome: 'known',
  amountNanoUsd,
  usage: null,
  requestId: null,
});

const openFolder = async (clock: Clock = systemClock, onAlerts: () => void = () => undefined) => {
  const dir = await mkdtemp(path.join(tmpdir(), 'costs-'));
  const store = await openStore({ dir, clock, money: { onAlerts } });
  return {
    dir,
    store,
    /** A run that spends so much of the project's money. */
    spend: async (id: string, amount: number) => {
      await store.start(newRun(id), [
        { scope: 'run', id, limitNanoUsd: null },
        { ...PROJECT, limitNanoUsd: null },
      ]);
      const claim = await store.claim(id);
      await store.commit(claim, { money: [reserve(`${id} 1`, amount)] });
      await store.commit(claim, { money: [settle(`${id} 1`, amount)] });
      return claim;
    },
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
};

const until = async (done: () => boolean): Promise<void> => {
  for (let i = 0; i < 500 && !done(); i += 1) await new Promise((resolve) => setTimeout(resolve, 10));
};

describe('[X1.alerts E12.alerts] the webhook of cost alerts', () => {
  it('signs as standardwebhooks.com says (the vector of its own tests)', () => {
    const body = '{"test": 2432232314}';
    expect(signWebhook(SECRET, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330_000, body)).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('gets each alert once it answers, whatever went wrong before, and each has one id', async () => {
    const bodies: { id: string; data: CostAlert }[] = [];
    let failures = 2;
    const receiver = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        const { data } = JSON.parse(text) as { data: CostAlert };
        const id = String(request.headers['webhook-id']);
        const seconds = Number(request.headers['webhook-timestamp']);
        const expected = signWebhook(SECRET, id, seconds * 1000, text)['webhook-signature'];
        if (request.headers['webhook-signature'] !== expected) response.writeHead(401).end();
        else if (failures > 0) {
          failures -= 1;
          response.writeHead(503).end();
        } else {
          bodies.push({ id, data });
          response.end();
        }
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const address = receiver.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    // The waits between attempts pass at once.
    let ahead = 0;
    const clock: Clock = { ...systemClock, now: () => Date.now() + ahead, sleep: async () => undefined };
    await using folder = await openFolder(clock);
    const logged: string[] = [];
    const open = (): AlertCourier => {
      const courier = new AlertCourier({
        webhook: { url: `http://127.0.0.1:${port}/`, secret: SECRET },
        clock: { ...clock, sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 20), signal) },
        random: () => 0.5,
        log: (_level, message) => void logged.push(message),
      });
      courier.open(folder.store);
      return courier;
    };
    await folder.store.setLimit({ level: PROJECT, period: 'lifetime', limitNanoUsd: 1_000_000_000, by: 'test' });
    await folder.spend('run_1', 800_000_000);
    const courier = open();
    await until(() => failures === 0);
    ahead = 3_600_000;
    await until(() => bodies.length === 2);
    await courier.close();
    // A courier that starts again finds nothing left to do.
    const again = open();
    await folder.spend('run_2', 100_000_000);
    again.wake();
    await until(() => bodies.length === 3);
    await again.close();
    receiver.close();
    expect(bodies.map(({ data }) => data.percent).toSorted((a, b) => a - b)).toEqual([50, 75, 90]);
    expect(new Set(bodies.map(({ id }) => id)).size).toBe(3);
    expect(logged.filter((message) => message.includes('% of the budget'))).toEqual([
      '50 % of the budget of project default are spent: $0.800000000 of $1.000000000',
      '75 % of the budget of project default are spent: $0.800000000 of $1.000000000',
      '90 % of the budget of project default are spent: $0.900000000 of $1.000000000',
    ]);
  });

  it('says of a violated bound what it was', () => {
    const money = (nanoUsd: number) => ({ usd: (nanoUsd / 1e9).toFixed(9), nanoUsd });
    const alert: CostAlert = {
      place: 1,
      kind: 'bound-violated',
      scope: 'run',
      budgetId: 'run_1',
      period: 'lifetime',
      slot: '',
      percent: 200,
      limit: money(1e9),
      spent: money(2e9),
      held: money(0),
      runId: 'run_1',
      at: '',
    };
    expect(sayAlert(alert)).toBe('A call of run run_1 cost $2.000000000, more than its upper bound of $1.000000000');
  });
});

describe("the project's limit of config.yaml", () => {
  it('is applied when the file changes, and leaves a limit alone that was raised since', async () => {
    await using folder = await openFolder();
    const { store } = folder;
    const limit = async () => (await store.budgets([PROJECT]))[0]?.limitNanoUsd;
    await applyConfiguredLimit(store, 'default', 20e9);
    expect(await limit()).toBe(20e9);
    await store.setLimit({ level: PROJECT, period: 'lifetime', limitNanoUsd: 50e9, by: 'ann' });
    await applyConfiguredLimit(store, 'default', 20e9);
    expect(await limit()).toBe(50e9);
    await applyConfiguredLimit(store, 'default', 10e9);
    expect(await limit()).toBe(10e9);
    await applyConfiguredLimit(store, 'default', null);
    expect(await limit()).toBeNull();
  });
});

describe('[X1.resume] runs that wait for money', () => {
  it('go on when their budget is raised, and when its day is over, but not for ever', async () => {
    let now = Date.parse('2026-11-25T23:59:50Z');
    const sleeping: { ms: number; wake: () => void }[] = [];
    const clock: Clock = {
      now: () => now,
      monotonic: () => now,
      sleep: (ms) => new Promise((resolve) => sleeping.push({ ms, wake: resolve })),
    };
    await using folder = await openFolder(clock);
    const { store } = folder;
    const pause = async (id: string, period: 'day' | 'lifetime'): Promise<void> => {
      const claim = await folder.spend(id, 1);
      const { day } = store.slots();
      const details = { ...PROJECT, period, slot: period === 'day' ? day : '' };
      const reason = { code: 'BUDGET_EXHAUSTED', message: '', hint: '', details };
      await store.commit(claim, { state: { status: 'paused', reason } });
    };
    await pause('run_day', 'day');
    await pause('run_all', 'lifetime');
    const begun: string[] = [];
    const begin = (runId: string): void => void begun.push(runId);
    const resumer = new BudgetResumer({ store, projectId: 'default', begin, clock, random: () => 0.5, log: NO_LOG });
    expect(await resumer.raised(PROJECT, 'lifetime')).toEqual(['run_all']);
    expect(await resumer.raised({ scope: 'user', id: 'ann' }, 'lifetime')).toEqual([]);
    begun.length = 0;
    resumer.open();
    await until(() => sleeping.length > 0);
    expect(begun).toEqual([]);
    for (let day = 0; day < 14; day += 1) {
      now += 86_400_000;
      for (const { wake } of sleeping.splice(0)) wake();
      await until(() => sleeping.length >= 2);
      // The jitter: half of thirty seconds.
      for (const { ms, wake } of sleeping.filter((one) => one.ms === 15_000)) {
        expect(ms).toBe(15_000);
        wake();
      }
      await until(() => begun.length > day);
      if (begun.length <= day) break;
    }
    expect(begun).toEqual(Array.from({ length: 10 }, () => 'run_day'));
    resumer.close();
  }, 60_000);
});

describe('[E13.cost-limits] the settings of costs', () => {
  const settingsOf = async (environment: Record<string, string>, prices?: string) => {
    const dir = await mkdtemp(path.join(tmpdir(), 'costs-'));
    try {
      if (prices !== undefined) await writeFile(path.join(dir, 'prices.json'), prices);
      return (await readSettings(dir, environment)).costs;
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  };

  it('hold limits unless ENABLE_COST_LIMITS is false', async () => {
    expect((await settingsOf({})).enforced).toBe(true);
    expect((await settingsOf({ ENABLE_COST_LIMITS: 'TRUE' })).enforced).toBe(true);
    expect((await settingsOf({ ENABLE_COST_LIMITS: 'false' })).enforced).toBe(false);
    await expect(settingsOf({ ENABLE_COST_LIMITS: 'no' })).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
  });

  it('take a webhook with a secret, and refuse one without', async () => {
    const url = 'https://example.org/hook';
    const secret = `whsec_${SECRET.toString('base64')}`;
    expect(await settingsOf({ COST_ALERT_WEBHOOK_URL: url, COST_ALERT_WEBHOOK_SECRET: secret })).toMatchObject({
      webhook: { url, secret: SECRET },
    });
    for (const wrong of [
      { COST_ALERT_WEBHOOK_URL: url },
      { COST_ALERT_WEBHOOK_URL: url, COST_ALERT_WEBHOOK_SECRET: 'whsec_c2hvcnQ=' },
      { COST_ALERT_WEBHOOK_URL: 'file:///etc/passwd', COST_ALERT_WEBHOOK_SECRET: secret },
    ])
      await expect(settingsOf(wrong)).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
  });

  it("read the user's own prices, and refuse a file that holds none", async () => {
    const own = { asOf: '2026-11-25', models: { 'local-1': { in: 0, out: 0 } } };
    expect((await settingsOf({}, JSON.stringify(own))).prices).toMatchObject(own);
    for (const wrong of [
      '{',
      '{}',
      '{"asOf":"x","models":{}}',
      '{"asOf":"2026-11-25","models":{"a":{"in":-1,"out":0}}}',
    ])
      await expect(settingsOf({}, wrong)).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
  });
});
