// Opens the store of the folder in argv[2] and begins a run; prints `ok` or the code of the error.
import { systemClock } from '@cloutagent/kit';
import { openStore } from '@cloutagent/store';

try {
  const store = await openStore({ dir: process.argv[2], clock: systemClock });
  await store.ensureBudget({ scope: 'project', id: 'p' }, 1);
  await store.close();
  process.stdout.write('ok\n');
} catch (error) {
  process.stdout.write(`${error.code}\n`);
}
