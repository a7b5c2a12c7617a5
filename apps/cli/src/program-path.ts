import { fileURLToPath } from 'node:url';

/** Program and script that start `clout` again, as a child or in the background. */
export const CLOUT: readonly [string, string] = [
  process.execPath,
  fileURLToPath(new URL('../bin/clout.mjs', import.meta.url)),
];

/** Folder of the built page. */
export const WEB_ASSETS = fileURLToPath(new URL('../../web/dist/', import.meta.url));
