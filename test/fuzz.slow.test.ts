import { expect, it } from 'vitest';
import { fuzzTaskMcp } from './support/fuzz.ts';

it(
  '[H15] 10,000 odd questions to Task MCP bring no failure of ours and no look inside',
  { timeout: 180_000 },
  async () => {
    expect(await fuzzTaskMcp(10_000)).toEqual([]);
  },
);
