import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openMemoryJournal } from '@cloutagent/engine';
import { systemClock } from '@cloutagent/kit';
import { openStore } from '@cloutagent/store';
import { describeJournal } from './support/journal-suite.ts';

describeJournal('SQLite', async () => {
  const dir = await mkdtemp(path.join(tmpdir(), 'journal-'));
  const store = await openStore({ dir, clock: systemClock });
  return {
    journal: store,
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await rm(dir, { recursive: true });
    },
  };
});

describeJournal('in memory', async () => ({
  journal: openMemoryJournal(systemClock),
  [Symbol.asyncDispose]: async () => undefined,
}));
