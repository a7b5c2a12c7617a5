import { describe, expect, it } from 'vitest';
import { measureCancel, measureLoad, measureSlope, measureWaiting } from './support/workflow-load.ts';

/** The figures of the product in full size; they hold on a machine that does nothing else. */
describe('many runs of workflows', () => {
  it('2,000 that wait for approval: 150 MB, 0.5 % of a core, on again within 50 ms', async () => {
    const figures = await measureWaiting(2_000, 200);
    process.stdout.write(`waiting: ${JSON.stringify(figures)}\n`);
    expect(figures.rssMb).toBeLessThanOrEqual(150);
    expect(figures.cpuPercent).toBeLessThanOrEqual(0.5);
    expect(figures.wakeP99Ms).toBeLessThanOrEqual(50);
  }, 900_000);

  it('[E17.latency] 100 at once with 50 streams: first token < 2 s, p95 < 5 s, p99 < 10 s, none 30 s, errors < 0.5 %', async () => {
    const figures = await measureLoad({ concurrent: 100, streams: 50, rounds: 5 });
    process.stdout.write(`load: ${JSON.stringify(figures)}\n`);
    expect(figures.firstTokenMaxMs).toBeLessThan(2_000);
    expect(figures.p95Ms).toBeLessThan(5_000);
    expect(figures.p99Ms).toBeLessThan(10_000);
    expect(figures.maxMs).toBeLessThan(30_000);
    expect(figures.errorPercent).toBeLessThan(0.5);
  }, 900_000);

  it('a cancellation cuts the running call off within 100 ms and settles its money', async () => {
    const figures = await measureCancel(50);
    process.stdout.write(`cancel: ${JSON.stringify(figures)}\n`);
    expect(figures).toEqual({ maxMs: figures.maxMs, heldNanoUsd: 0, unsettled: 0 });
    expect(figures.maxMs).toBeLessThanOrEqual(100);
  }, 300_000);

  it('[E17.memory] 1,000 in a row: less than 1 MB is left behind', async () => {
    const figures = await measureSlope(2_000);
    process.stdout.write(`slope: ${JSON.stringify(figures)}\n`);
    expect(figures.errors).toBe(0);
    expect(figures.slopeMb).toBeLessThan(1);
  }, 1_800_000);
});
