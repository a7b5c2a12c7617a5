import { expect, it } from 'vitest';
import { killAgainAndAgain } from './testing/crash.ts';
import { tempFolder } from './testing/support.ts';

it('[X2.atomic] keeps what was confirmed through twenty kills in a row', async () => {
  await using folder = await tempFolder();
  expect(await killAgainAndAgain(folder.dir, 20)).toEqual([]);
}, 300_000);
