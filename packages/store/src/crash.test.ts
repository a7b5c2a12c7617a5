import { expect, it } from 'vitest';
import { killAgainAndAgain } from './testing/crash.ts';
import { tempFolder } from './testing/support.ts';

it('[X2.atomic] keeps what was confirmed, and nothing by half, when the process is killed', async () => {
  await using folder = await tempFolder();
  expect(await killAgainAndAgain(folder.dir, 3)).toEqual([]);
});
