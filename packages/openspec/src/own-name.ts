import path from 'node:path';
import { identityOf } from './disk/identity.ts';
import { entriesOf } from './disk/read.ts';

/**
 * Is `name` the very name of an entry of `folder`, and not another spelling of it, which a disk that folds case or
 * accents finds as well? Else one change would have many names, and `Archive` would be a change.
 */
export const isOwnName = (folder: string, name: string): boolean => {
  if (IS_ASCII.test(name)) {
    const other = name === name.toLowerCase() ? name.toUpperCase() : name.toLowerCase();
    if (other === name) return true;
    // Found under no other case: this disk does not fold. To list a folder of 10,000 costs a thousand times as much.
    const twin = identityOf(path.join(folder, other));
    if (twin === undefined || twin !== identityOf(path.join(folder, name))) return true;
  }
  return entriesOf(folder).some((entry) => entry.name === name);
};

const IS_ASCII = /^[\x20-\x7e]*$/u;
