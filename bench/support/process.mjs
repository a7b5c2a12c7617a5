import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** A port that is free now. */
export const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

/** Linux counts in clock ticks; 100 a second on every platform that Node runs on. */
const MS_PER_TICK = 10;

/** CPU of a living process and of its ended children so far, in milliseconds; null where the system does not tell. */
export const cpuOf = (pid) => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0) * MS_PER_TICK;
  } catch {
    return null;
  }
};

const { NODE_EXTRA_CA_CERTS: _, ...rest } = process.env;

/** Without the certificates of the machine's owner: reading them takes Node longer than to start. */
export const plainEnv = rest;

/** CPU that a fresh Node takes for a program, measured by itself at its end, in milliseconds. */
export const cpuOfScript = (code) =>
  new Promise((resolve, reject) => {
    const tell =
      "process.on('exit', () => { const { user, system } = process.cpuUsage(); process.stdout.write(String((user + system) / 1000)); });";
    const child = spawn(process.execPath, ['-e', `${tell}${code}`], {
      env: plainEnv,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      output += chunk;
    });
    child.on('error', reject);
    child.on('close', () => resolve(Number(output)));
  });

export const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
