import { existsSync } from 'node:fs';
import { bundleAll, BUNDLES } from './bundle.mjs';
import { ROOT, runModule } from './run.mjs';
import { stage } from './stage.mjs';
import { openStamp, packagesBelow } from './stale.mjs';

const CONFIGS = ['tsconfig.base.json', 'tsconfig.json', 'package-lock.json'];

const rooms = [...packagesBelow('packages'), ...packagesBelow('apps')].filter((room) => room !== 'apps/web');

/** What `npm start` runs, and what is published beside it. */
const programs = () => ({
  name: 'programs',
  inputs: [...CONFIGS, ...rooms.flatMap((room) => [`${room}/src`, `${room}/tsconfig.json`, `${room}/package.json`])],
  outputs: rooms.map((room) => `${room}/dist/index.js`),
});

const bundles = () => ({
  name: 'bundles',
  inputs: [...programs().inputs, 'scripts/support/bundle.mjs'],
  outputs: BUNDLES,
});

const page = () => ({
  name: 'page',
  inputs: [...CONFIGS, 'apps/web', 'packages/contract/src', 'packages/kit/src', 'packages/client/src'],
  outputs: ['apps/web/dist/index.html'],
});

const tsc = (projects) => runModule('typescript/bin/tsc', ['-b', ...projects], { quiet: true });
const vite = () =>
  runModule('vite/bin/vite.js', ['build', '--logLevel', 'warn'], { cwd: `${ROOT}apps/web`, quiet: true });

const make = async (target, name, work) => {
  const stamp = openStamp(target);
  if (stamp.fresh) return true;
  const made = await stage(name, work);
  if (made) stamp.write();
  return made;
};

/** Builds what is missing or stale of the programs and the page. */
export const compile = async () =>
  (await make(programs(), 'Compiling the programs', () => tsc(rooms))) &&
  (await make(bundles(), 'Bundling the programs', bundleAll)) &&
  (!existsSync(`${ROOT}apps/web/index.html`) || (await make(page(), 'Building the page', vite)));

/** Checks the types of everything, tests included; incremental by content, so it is cheap when nothing changed. */
export const compileEverything = () => stage('Compiling and checking types', () => tsc([]));
