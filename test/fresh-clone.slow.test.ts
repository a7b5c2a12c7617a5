import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { projectFiles, ROOT } from './support/files.ts';
import { collectOutput, freePort, serves, until } from './support/processes.ts';

const MINUTES = 60_000;

/** The tracked files alone, committed in a repository of their own: what a clone would be. */
const openClone = (): string => {
  const base = mkdtempSync(join(tmpdir(), 'cloutagent-clone-'));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  for (const file of projectFiles()) {
    mkdirSync(dirname(join(base, file)), { recursive: true });
    cpSync(join(ROOT, file), join(base, file));
  }
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@localhost', ...args], {
      cwd: base,
      encoding: 'utf8',
    });
  git('init', '-q');
  git('add', '-A');
  git('commit', '-q', '-m', 'clone');
  return base;
};

it(
  '[X8.start X8.test X8.clean-tree X8.no-build-tools] the two commands in a fresh clone install, build, serve the sample, run tests and leave the tree clean',
  async () => {
    const clone = openClone();
    const port = await freePort();
    const { PATH = '', HOME = '' } = process.env;
    const npm = Object.entries(process.env).filter(([name]) => /^npm_config_(?:cache|userconfig)$/u.test(name));
    const env = { PATH, HOME, ...Object.fromEntries(npm) };
    const child = spawn('npm', ['start'], {
      cwd: clone,
      env: { ...env, PORT: String(port) },
      stdio: 'pipe',
      detached: true,
    });
    // npm starts a shell that starts Node: the group is what Ctrl-C reaches.
    const stop = (signal: NodeJS.Signals): void =>
      void (child.exitCode === null && child.signalCode === null && process.kill(-(child.pid ?? 0), signal));
    onTestFinished(() => stop('SIGKILL'));
    const output = collectOutput(child);
    const address = `http://127.0.0.1:${port}`;
    await until(async () => child.exitCode !== null || (await serves(`${address}/healthz`)));
    expect(child.exitCode, output()).toBe(null);
    const changes = await fetch(`${address}/api/changes`).then((answer) => answer.text());
    expect(changes).toContain('add-greeting-page');
    expect(await fetch(address, { headers: { Accept: 'text/html' } }).then((page) => page.text())).toContain(
      '<div id="root"',
    );
    const closed = once(child, 'close');
    stop('SIGINT');
    await closed;
    // The whole suite is running around this test; here it is the way into it that counts.
    const tested = execFileSync('npm', ['test', '--', 'packages/kit', 'packages/contract'], {
      cwd: clone,
      env: { ...env, CI: 'true' },
      encoding: 'utf8',
    });
    expect(tested.trimEnd().split('\n').at(-1)).toMatch(/^[1-9]\d* passed, 0 failed, 0 skipped$/u);
    expect(execFileSync('git', ['status', '--porcelain'], { cwd: clone, encoding: 'utf8' })).toBe('');
  },
  5 * MINUTES,
);
