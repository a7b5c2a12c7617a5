import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the workspace. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Files that are tracked, or would be: relative to the root, with slashes, sorted. */
export const projectFiles = (): readonly string[] => {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
  });
  const files = listed.split('\0').filter((file) => file !== '' && existsSync(join(ROOT, file)));
  return [...new Set(files)].sort();
};

export const readProjectFile = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

const isTest = (file: string): boolean => /\.test\.tsx?$/u.test(file);
const isSource = (file: string): boolean => /^(packages|apps)\/[^/]+\/src\/.*\.tsx?$/u.test(file);

/** TypeScript sources of the rooms, without their tests. */
export const sourceFiles = (): readonly string[] => projectFiles().filter((file) => isSource(file) && !isTest(file));

/** Every test of the workspace. */
export const testFiles = (): readonly string[] => projectFiles().filter(isTest);

/** `packages/kit/src/clock.ts` → `packages/kit`. */
export const roomOf = (file: string): string => file.split('/').slice(0, 2).join('/');
