import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { ROOT, run } from './run.mjs';

/**
 * Installs what only a bench or a test of the whole needs, in the versions that it names, outside of the workspace and
 * its lock: nobody who does not measure pays for it.
 * @param {string} area
 * @param {Record<string, string>} peers
 * @param {{ say?: (text: string) => void, args?: readonly string[] }} [options]
 * @returns {Promise<string>} the folder that holds their node_modules
 */
export const installPeers = async (area, peers, { say = console.log, args = [] } = {}) => {
  const folder = `${ROOT}bench/.peers/${area}`;
  if (Object.keys(peers).length === 0) return folder;
  const manifest = JSON.stringify({ private: true, dependencies: peers }, undefined, 2);
  const file = `${folder}/package.json`;
  const isThere = existsSync(`${folder}/node_modules/.package-lock.json`) && existsSync(file);
  if (isThere && readFileSync(file, 'utf8') === manifest) return folder;
  say(`Installing the peers of ${area}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, manifest);
  const install = ['install', '--no-audit', '--no-fund', '--loglevel=error', ...args];
  const { code, output } = await run('npm', install, { cwd: folder, quiet: true });
  if (code !== 0) throw new Error(`The peers of ${area} cannot be installed:\n${output}`);
  return folder;
};
