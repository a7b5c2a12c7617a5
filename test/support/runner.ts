import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Runs a script of the workspace's test folder to its end. */
export const runScript = (
  script: string,
  args: readonly string[] = [],
): Promise<{ readonly code: number | null; readonly output: string }> =>
  new Promise((resolve, reject) => {
    const file = fileURLToPath(new URL(`../${script}`, import.meta.url));
    const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (chunk: string): void => {
      output += chunk;
    };
    child.stdout.setEncoding('utf8').on('data', collect).on('error', reject);
    child.stderr.setEncoding('utf8').on('data', collect).on('error', reject);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
