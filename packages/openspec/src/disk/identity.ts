import { statSync } from 'node:fs';

/** Which folder it is, whatever is in it: a new one may get the number of the old, but not its birth. */
export const identityOf = (folder: string): string | undefined => {
  try {
    const found = statSync(folder, { throwIfNoEntry: false });
    return found?.isDirectory() === true ? `${found.dev}:${found.ino}:${found.birthtimeMs}` : undefined;
  } catch {
    return undefined;
  }
};
