import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ROOT } from './support/files.ts';
import { collectOutput, freePort, isAlive, processTree, serves, until } from './support/processes.ts';
import { openTempProject } from './support/project.ts';

const startScript = (env: Readonly<Record<string, string>>, nodeOptions: readonly string[] = []): ChildProcess => {
  const child = spawn(process.execPath, [...nodeOptions, 'scripts/start.mjs'], { cwd: ROOT, env, stdio: 'pipe' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
};

describe('npm start', () => {
  // Whatever is stale is built here, so that the starts below are second ones.
  beforeAll(() => void execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: ROOT, stdio: 'pipe' }), 60_000);

  it('[X8.old-node] says what it needs where Node is too old', async () => {
    const pretend = "data:text/javascript,Object.defineProperty(process,'versions',{value:{node:'18.20.8'}})";
    const child = startScript({ PATH: process.env['PATH'] ?? '' }, ['--import', pretend]);
    const output = collectOutput(child);
    const [code] = (await once(child, 'close')) as [number | null];
    expect(code).toBe(1);
    expect(output()).toMatch(/needs Node\.js 20\.19 or newer; this is 18\.20\.8/u);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    '[X8.second-start X8.stop T4.healthz] serves without building again, and leaves no process behind after %s',
    async (signal) => {
      using project = openTempProject();
      const port = await freePort();
      const child = startScript({ ...project.env, PORT: String(port), WORKING_DIRECTORY: project.root });
      const output = collectOutput(child);
      const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
      const url = `http://127.0.0.1:${port}`;
      await until(async () => child.exitCode !== null || (output().includes(url) && (await serves(`${url}/healthz`))));
      expect(child.exitCode, output()).toBe(null);
      // How long it takes is measured by the bench; what would make it slow is named here.
      expect(output()).not.toMatch(/Installing|Compiling|Building/u);
      const tree = processTree(child.pid ?? 0);
      child.kill(signal);
      const [code] = await closed;
      expect([0, 130, 143]).toContain(code);
      await until(() => tree.every((pid) => !isAlive(pid)));
    },
  );

  it('[X8.stop] ends with the shell that npm runs it under', async () => {
    using project = openTempProject();
    const port = await freePort();
    const env = { ...project.env, PORT: String(port), WORKING_DIRECTORY: project.root };
    const shell = spawn('sh', ['-c', `"${process.execPath}" scripts/start.mjs; :`], {
      cwd: ROOT,
      env,
      stdio: 'ignore',
    });
    const tree = (): readonly number[] => processTree(shell.pid ?? 0);
    onTestFinished(() => tree().forEach((pid) => isAlive(pid) && process.kill(pid, 'SIGKILL')));
    await until(() => serves(`http://127.0.0.1:${port}/healthz`));
    const started = tree();
    expect(started.length).toBeGreaterThan(1);
    shell.kill('SIGTERM');
    await until(() => started.every((pid) => !isAlive(pid)));
  });
});
