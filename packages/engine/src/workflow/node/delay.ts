import type { DelayNode, StepRow } from '@cloutagent/contract';
import type * as z from 'zod';
import type { NodeResult, NodeWork } from '../context.ts';
import { hashOf } from '../hash.ts';

type Delay = z.infer<typeof DelayNode>;

/** Waits from when it was first reached, however often the process ends meanwhile. */
export const runDelayNode = async ({ node, key, drive, input, context }: NodeWork<Delay>): Promise<NodeResult> => {
  const step = `${key}/due`;
  const { delayMs } = node.data;
  const inputHash = hashOf({ delayMs });
  const done = drive.finished(step, inputHash);
  const startedAt = drive.clock.now();
  // Written below.
  const until = done === undefined ? startedAt + delayMs : (done.output as { readonly until: number }).until;
  if (done === undefined) {
    const row: StepRow = {
      key: step,
      kind: 'wait',
      name: 'due',
      inputHash,
      input: { delayMs },
      output: { until },
      isError: false,
      usage: null,
      costNanoUsd: 0,
      startedAt,
      endedAt: startedAt,
    };
    await drive.commit({ steps: [row], events: [{ type: 'wait.started', step, until }] });
  }
  await context.run.waits.wait(drive, `${key}/wait`, { topic: null, until });
  return { output: input };
};
