import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { CloutError } from '@cloutagent/contract';
import * as z from 'zod';
import type { Log } from '../log.ts';

const Ready = z.object({ url: z.string() });

/** Time that the simulator may take to say where it listens; it needs well below one second. */
const START_TIMEOUT_MS = 20_000;

/** Owner of the simulator's process. It is started by the first simulated run and ends with us: its stdin is our pipe. */
export class SimulatorProcess {
  readonly #command: readonly [string, ...string[]];
  readonly #logFile: string;
  readonly #log: Log;
  #child: ChildProcess | undefined;
  #url: Promise<string> | undefined;

  constructor(command: readonly [string, ...string[]], logFile: string, log: Log) {
    this.#command = command;
    this.#logFile = logFile;
    this.#log = log;
  }

  /** Base URL of the running simulator, started where it is not. */
  url(): Promise<string> {
    this.#url ??= this.#start().catch((error: unknown) => {
      this.#url = undefined;
      throw error;
    });
    return this.#url;
  }

  async #start(): Promise<string> {
    await mkdir(path.dirname(this.#logFile), { recursive: true });
    const [file, ...args] = this.#command;
    const child = spawn(file, [...args, '--port', '0', '--log', this.#logFile, '--exit-with-stdin'], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child = child;
    let stderr = '';
    child.stdin.on('error', () => undefined);
    child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString('utf8')).slice(-2_000)));
    child.stderr.on('error', () => undefined);
    return new Promise<string>((resolve, reject) => {
      const fail = (reason: string): void => {
        clearTimeout(timer);
        reject(new CloutError('MODEL_UNAVAILABLE', `The simulator did not start: ${reason} ${stderr.trim()}`.trim()));
      };
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        fail('it said nothing in time.');
      }, START_TIMEOUT_MS);
      child.on('error', (error) => fail(error.message));
      child.on('exit', (code, signal) => {
        this.#url = undefined;
        this.#child = undefined;
        this.#log('debug', 'simulator ended', { code, signal });
        fail(`it ended with ${code ?? signal}.`);
      });
      const lines = createInterface({ input: child.stdout });
      lines.on('error', () => undefined);
      lines.once('line', (line) => {
        clearTimeout(timer);
        try {
          resolve(Ready.parse(JSON.parse(line)).url);
        } catch {
          fail('its first line was not its address.');
        }
      });
    });
  }

  close(): void {
    this.#child?.stdin?.end();
    this.#child?.kill('SIGTERM');
  }
}
