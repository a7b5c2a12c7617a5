import './support/require-node.mjs';
import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compile } from './support/compile.mjs';
import { ensureInstalled } from './support/install.mjs';
import { ROOT } from './support/run.mjs';

// npm start: installs, builds what is missing or stale, and serves. Arguments go to `clout up`.

/** A clone has no project of its own, so it serves a copy of the sample. Its last step is a rename: whole or absent. */
const openSampleProject = () => {
  const workspace = `${ROOT}workspace`;
  if (!existsSync(workspace)) {
    const staged = `${ROOT}node_modules/.cache/cloutagent/workspace-${process.pid}`;
    mkdirSync(dirname(staged), { recursive: true });
    cpSync(`${ROOT}examples/first-change`, staged, { recursive: true });
    try {
      renameSync(staged, workspace);
      console.log('Made a sample project in workspace/ (set WORKING_DIRECTORY to serve one of yours).');
    } catch (error) {
      rmSync(staged, { recursive: true, force: true });
      if (!existsSync(workspace)) throw error;
    }
  }
  return workspace;
};

/**
 * npm runs this program under a shell that passes no signal on: whoever ends npm alone would leave the server running.
 * Looked at once a second, because nothing tells a process that its parent has gone.
 */
const stopWithParent = () => {
  const parent = process.ppid;
  if (parent === 1) return;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    // Once: a second signal would cut the orderly stop short.
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 1000);
  watch.unref();
};

stopWithParent();
if ((await ensureInstalled()) && (await compile())) {
  if (process.env['WORKING_DIRECTORY'] === undefined && !existsSync(`${ROOT}openspec`)) {
    process.env['WORKING_DIRECTORY'] = openSampleProject();
  }
  const program = `${ROOT}apps/cli/bin/clout.mjs`;
  process.argv = [process.argv[0] ?? process.execPath, program, 'up', ...process.argv.slice(2)];
  await import(pathToFileURL(program).href);
} else {
  process.exitCode = 1;
}
