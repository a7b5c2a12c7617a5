import { expect, it } from 'vitest';
import { dieAtEveryWrite } from './support/workflow-crash.ts';

it('[D1 D2 D3] a process that dies at every single write of a workflow of twelve nodes, before it and after it', async () => {
  const { writes, deaths } = await dieAtEveryWrite(1);
  expect(writes).toBeGreaterThan(50);
  expect(deaths).toBeGreaterThan(1.5 * writes);
}, 1_800_000);
