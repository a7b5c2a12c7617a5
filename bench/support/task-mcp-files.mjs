import { closeSync, fsync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const sync = promisify(fsync);

const flush = async (fd) => {
  await sync(fd);
  closeSync(fd);
};

const flushFolder = (folder) => flush(openSync(folder, 'r'));

const flushFile = (file, text) => {
  const fd = openSync(file, 'wx');
  writeSync(fd, text);
  return flush(fd);
};

/**
 * What opening a change does to the disk and nothing else: three folders and five files in a staging folder, each on
 * the disk, then one rename that is there after a power cut. No lock, no look at what is there, no rules.
 * @param {string} root of a project where the product has opened `opened-1`, whose texts are used
 * @returns {(slug: string) => Promise<void>}
 */
export const openPlainly = (root) => {
  const changes = join(root, 'openspec/changes');
  const staging = join(root, 'openspec/.task-mcp/staging');
  const textOf = (file) => readFileSync(join(changes, 'opened-1', file), 'utf8');
  const delta = textOf('specs/opened-1/spec.md');
  const others = ['proposal.md', 'tasks.md', '.openspec.yaml', '.bases.json'].map((file) => [file, textOf(file)]);
  return async (slug) => {
    const folder = join(staging, randomUUID());
    const spec = join(folder, 'specs', slug, 'spec.md');
    mkdirSync(folder);
    mkdirSync(dirname(dirname(spec)));
    mkdirSync(dirname(spec));
    await Promise.all([...others.map(([file, text]) => flushFile(join(folder, file), text)), flushFile(spec, delta)]);
    await Promise.all([dirname(spec), dirname(dirname(spec)), folder].map(flushFolder));
    renameSync(folder, join(changes, slug));
    await flushFolder(changes);
  };
};
