import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { ROOT, run } from './run.mjs';
import { stage } from './stage.mjs';

const LOCK = `${ROOT}package-lock.json`;
const STAMP = `${ROOT}node_modules/.cloutagent-install`;
/** npm writes this one last, so an installation that was cut off has none. */
const NPM_STAMP = `${ROOT}node_modules/.package-lock.json`;

const wanted = () =>
  `${createHash('sha256').update(readFileSync(LOCK)).digest('hex')} ${process.platform}-${process.arch}\n`;

const isInstalled = () => {
  if (!existsSync(NPM_STAMP)) return false;
  if (existsSync(STAMP)) return readFileSync(STAMP, 'utf8') === wanted();
  // Somebody ran npm by hand: that counts while it is not older than the lock file.
  return statSync(NPM_STAMP).mtimeMs >= statSync(LOCK).mtimeMs;
};

/** `npm ci` where the installed packages are missing or are not those of the lock file. */
const npmCi = () => {
  const npm = process.env['npm_execpath'];
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  return npm?.endsWith('.js')
    ? run(process.execPath, [npm, ...args], { quiet: true })
    : run('npm', args, { quiet: true });
};

/** @returns {Promise<boolean>} whether everything is there */
export const ensureInstalled = async () => {
  if (!isInstalled()) {
    if (!(await stage('Installing packages (npm ci)', npmCi))) return false;
  }
  if (!existsSync(STAMP) || readFileSync(STAMP, 'utf8') !== wanted()) writeFileSync(STAMP, wanted());
  return true;
};
