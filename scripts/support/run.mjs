import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The root of the workspace, with a slash at its end. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What is kept of a quiet command's output to explain its failure; older output is dropped. */
const TAIL_BYTES = 64 * 1024;

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

/**
 * Whoever ends us ends the command too. The listeners go with the command: afterwards a signal belongs to whoever took
 * over (the server, for `npm start`).
 */
const tieToUs = (child) => {
  const listeners = Object.entries(SIGNALS).map(([signal, code]) => {
    const end = () => {
      child.kill(signal);
      process.exit(code);
    };
    process.on(signal, end);
    return () => process.off(signal, end);
  });
  return () => listeners.forEach((release) => release());
};

/**
 * Runs a command without a shell in the workspace. `quiet` keeps its output back and returns its tail.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, quiet?: boolean }} [options]
 * @returns {Promise<{ code: number, output: string }>} 127 where the command cannot be started
 */
export const run = (command, args, { cwd = ROOT, env = process.env, quiet = false } = {}) =>
  new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', ...Array(2).fill(quiet ? 'pipe' : 'inherit')] });
    const release = tieToUs(child);
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-TAIL_BYTES);
    };
    child.stdout?.setEncoding('utf8').on('data', keep).on('error', keep);
    child.stderr?.setEncoding('utf8').on('data', keep).on('error', keep);
    const end = (code) => {
      release();
      resolve({ code, output });
    };
    child.on('error', (error) => {
      keep(String(error));
      end(127);
    });
    child.on('close', (code) => end(code ?? 1));
  });

/** Runs a JavaScript file of an installed package with this very Node. */
export const runModule = (file, args, options) =>
  run(process.execPath, [`${ROOT}node_modules/${file}`, ...args], options);
