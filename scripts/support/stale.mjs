import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ROOT } from './run.mjs';

const SKIPPED = new Set(['node_modules', 'dist', 'dist-types', '.cloutagent']);

/** Every file below a folder, or the file itself; nothing where it does not exist. */
const filesBelow = (path) => {
  const stat = statSync(ROOT + path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (stat.isFile()) return [`${path} ${stat.size} ${stat.mtimeMs}`];
  return readdirSync(ROOT + path)
    .filter((name) => !SKIPPED.has(name) && !/\.test\.tsx?$/.test(name))
    .sort()
    .flatMap((name) => filesBelow(`${path}/${name}`));
};

/** Folders below `parent` that have a manifest. */
export const packagesBelow = (parent) =>
  readdirSync(ROOT + parent)
    .map((name) => `${parent}/${name}`)
    .filter((path) => existsSync(`${ROOT}${path}/package.json`));

/**
 * Something that is made of sources. It is fresh while names, sizes and times of its inputs are those of the last time
 * and its outputs exist; that takes milliseconds, where asking the compiler takes a second.
 * @param {{ name: string, inputs: readonly string[], outputs: readonly string[] }} target paths relative to the root
 */
export const openStamp = ({ name, inputs, outputs }) => {
  const file = `${ROOT}node_modules/.cache/cloutagent/${name}.stamp`;
  const hash = createHash('sha256');
  for (const input of inputs) hash.update(`${filesBelow(input).join('\n')}\n`);
  const state = hash.digest('hex');
  return {
    fresh:
      outputs.every((output) => existsSync(ROOT + output)) && existsSync(file) && readFileSync(file, 'utf8') === state,
    write: () => {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, state);
    },
  };
};
