import { expect, it } from 'vitest';
import { dieAtEveryWrite } from './support/workflow-crash.ts';

it('[D1 D2 D3 X2.kill X2.no-repeat X2.tool-intent] a process that dies at the writes of a workflow of twelve nodes: it completes, repeats no finished step, and pays what was billed', async () => {
  const { writes, deaths } = await dieAtEveryWrite(5);
  expect(writes).toBeGreaterThan(50);
  expect(deaths).toBeGreaterThan(writes / 4);
}, 240_000);
