import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './files.ts';

/** A project of its own in a temporary folder, with a home of its own, so that no test sees another's trust or keys. */
export interface TempProject {
  readonly root: string;
  /** Environment for programs that work in it: nothing of ours but PATH. */
  readonly env: Readonly<Record<string, string>>;
  read(path: string): string;
  has(path: string): boolean;
  [Symbol.dispose](): void;
}

/** @param source folder to copy, relative to the workspace; the sample project by default */
export const openTempProject = (source = 'examples/first-change'): TempProject => {
  const base = mkdtempSync(join(tmpdir(), 'cloutagent-project-'));
  const root = join(base, 'project');
  const home = join(base, 'home');
  mkdirSync(home);
  cpSync(join(ROOT, source), root, { recursive: true });
  return {
    root,
    env: { PATH: process.env['PATH'] ?? '', HOME: home, LANG: 'C.UTF-8' },
    read: (path) => readFileSync(join(root, path), 'utf8'),
    has: (path) => existsSync(join(root, path)),
    [Symbol.dispose]: () => rmSync(base, { recursive: true, force: true }),
  };
};
