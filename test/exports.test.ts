import { dirname, posix } from 'node:path';
import { expect, it } from 'vitest';
import { readProjectFile, ROOT } from './support/files.ts';
import { MAY_IMPORT } from './support/rooms.ts';
import { exportsOf } from './support/scan.ts';

/** Public names of a module, with those of the modules that it re-exports whole. */
const publicNames = (file: string): readonly string[] =>
  exportsOf(readProjectFile(file)).flatMap((name) =>
    name.startsWith('* from ') ? publicNames(posix.join(dirname(file), name.slice('* from '.length))) : [name],
  );

it('exports of every package are the ones on record', async () => {
  const rooms = Object.keys(MAY_IMPORT).filter((room) => room !== 'apps/web');
  const names = Object.fromEntries(rooms.map((room) => [room, [...publicNames(`${room}/src/index.ts`)].sort()]));
  // After a deliberate change: npm run exports
  await expect(`${JSON.stringify(names, undefined, 2)}\n`).toMatchFileSnapshot(`${ROOT}test/exports.snapshot.json`);
});
