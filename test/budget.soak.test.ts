import { expect, it } from 'vitest';
import { stressBudget } from './support/budget-stress.ts';

it('[X1.never-over] [D5] 500 agents on one dollar with ten kills', async () => {
  const result = await stressBudget(500, 10);
  process.stderr.write(`${JSON.stringify(result)}\n`);
  expect(result).toMatchObject({ over: 0, problems: [], wrong: [], heldNanoUsd: 0 });
  expect(result.spentNanoUsd).toBeLessThanOrEqual(result.limitNanoUsd);
  expect(new Set(result.alerts).size).toBe(result.alerts.length);
}, 1_800_000);
