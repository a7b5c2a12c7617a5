import { CircuitBreaker, CostTrackingService, ErrorHandler, MCPError, RetryManager } from '@cloutagent/compat';
import { describe, expect, it, vi } from 'vitest';

describe('[E1.compat] errors and costs (tasks 2.3, 2.4)', () => {
  const failing = (status: number) => Object.assign(new Error(`${status}`), { status });

  it('[E11.categories] categorizes as the seed does', () => {
    const handler = new ErrorHandler();
    expect(handler.categorizeError(failing(429))).toMatchObject({
      category: 'retryable',
      message: 'Rate limit exceeded',
      userMessage: 'Too many requests. Please wait a moment and try again.',
      retryable: true,
    });
    expect(handler.categorizeError(failing(401))).toMatchObject({
      category: 'fatal',
      userMessage: 'Authentication failed. Please check your API key.',
    });
    expect(handler.categorizeError(failing(529))).toMatchObject({ category: 'retryable' });
    expect(handler.categorizeError(failing(400))).toMatchObject({ category: 'user_error', retryable: false });
    expect(handler.categorizeError(new MCPError('x', 'fs', 'CONNECTION_FAILED'))).toMatchObject({
      userMessage: 'Failed to connect to fs. Retrying...',
      retryable: true,
    });
    expect(handler.categorizeError('?')).toMatchObject({
      category: 'fatal',
      userMessage: 'An unexpected error occurred. Please try again.',
    });
  });

  it('[E11.retry-manager] repeats three times from one second, doubling, and only what may help', async () => {
    vi.useFakeTimers();
    try {
      const at: number[] = [];
      const retry = new RetryManager();
      const work = retry.executeWithRetry(async () => {
        at.push(Date.now());
        throw failing(503);
      });
      const ended = work.catch(String);
      await vi.runAllTimersAsync();
      expect(await ended).toBe('Error: 503');
      expect(at.map((time) => time - (at[0] ?? 0))).toEqual([0, 1000, 3000, 7000]);
      let calls = 0;
      const refused = retry.executeWithRetry(async () => {
        calls += 1;
        throw failing(401);
      });
      await expect(refused).rejects.toThrow('401');
      expect(calls).toBe(1);
      const long = retry.executeWithRetry(() => Promise.reject(failing(500)), { maxRetries: 10 });
      const gone = long.catch(String);
      const before = Date.now();
      await vi.runAllTimersAsync();
      expect(await gone).toBe('Error: 500');
      expect(Date.now() - before).toBe(1000 + 2000 + 4000 + 8000 + 16_000 + 5 * 30_000);
    } finally {
      vi.useRealTimers();
    }
  });

  it('[C4.breaker] [C4.client-errors] [D8] opens after five failures, but not for 4xx, and lets one of 1,000 probe', async () => {
    const breaker = new CircuitBreaker(5, 100);
    for (let call = 0; call < 20; call += 1) await breaker.execute(() => Promise.reject(failing(422))).catch(() => 0);
    expect(breaker.getState()).toBe('closed');
    for (let call = 0; call < 5; call += 1) await breaker.execute(() => Promise.reject(failing(500))).catch(() => 0);
    expect(breaker.getState()).toBe('open');
    await expect(breaker.execute(async () => 1)).rejects.toThrow('Circuit breaker is open');
    await vi.waitUntil(() => breaker.getState() === 'half-open', { timeout: 5000 });
    let probes = 0;
    const probe = async (): Promise<void> => {
      probes += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await Promise.allSettled(Array.from({ length: 1000 }, () => breaker.execute(probe)));
    expect(probes).toBe(1);
    expect(breaker.getState()).toBe('closed');
  });

  it('keeps costs by model and day, alerts once for each threshold, and holds the limit', async () => {
    const alerts: number[] = [];
    const costs = new CostTrackingService(({ threshold }) => alerts.push(threshold));
    await costs.setCostLimit({
      projectId: 'p',
      limitType: 'daily',
      limitAmount: 1,
      currentSpend: 0,
      alertThresholds: [50, 75, 90, 100],
    });
    const record = (model: string, totalCost: number, day: string) => ({
      id: day,
      projectId: 'p',
      executionId: 'e',
      model,
      promptTokens: 1,
      completionTokens: 1,
      totalCost,
      timestamp: new Date(`${day}T12:00:00Z`),
    });
    await costs.recordCost(record('a', 0.3, '2026-11-20'));
    await costs.recordCost(record('b', 0.3, '2026-11-20'));
    await costs.recordCost(record('a', 0.35, '2026-11-21'));
    await expect(costs.recordCost(record('a', 0.1, '2026-11-21'))).rejects.toThrow('Cost limit exceeded: $1.0500 / $1');
    expect(alerts).toEqual([50, 75, 90, 100]);
    const summary = await costs.getProjectCostSummary('p', new Date('2026-11-20'), new Date('2026-11-22'));
    expect(summary).toMatchObject({
      totalCost: 1.05,
      executionCount: 4,
      costByModel: { a: 0.75, b: 0.3 },
      costByDay: [
        { date: '2026-11-20', cost: 0.6 },
        { date: '2026-11-21', cost: 0.45 },
      ],
    });
    expect(await costs.estimateCost('claude-opus-5-5', 1_000_000, 1000)).toBe(4.02);
    await expect(costs.estimateCost('gpt-9', 1, 1)).rejects.toMatchObject({ code: 'PRICE_UNKNOWN' });
  });
});
