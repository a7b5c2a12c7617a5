import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { ROOT } from './files.ts';
import type { TempProject } from './project.ts';

/** Programs are spawned as built, exactly as a user runs them. */
const PROGRAMS = { clout: 'apps/cli/bin/clout.mjs', 'task-mcp': 'packages/task-mcp/bin/task-mcp.mjs' };

export interface Ended {
  /** null after a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** Resolves with the first line, past or future, that fits; with undefined when the program ends without one. */
  line(fits: (line: string) => boolean): Promise<string | undefined>;
  kill(signal: NodeJS.Signals): void;
}

export interface SpawnOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Text for stdin, which is closed after it; closed at once by default. */
  readonly input?: string;
  /** Another Node than the one that runs the tests. */
  readonly node?: string;
}

export const startProgram = (
  name: keyof typeof PROGRAMS,
  args: readonly string[],
  project: TempProject,
  { env = {}, input = '', node = process.execPath }: SpawnOptions = {},
): Running => {
  const child = spawn(node, [join(ROOT, PROGRAMS[name]), ...args], {
    cwd: project.root,
    env: { ...project.env, ...env },
    stdio: 'pipe',
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  let stderr = '';
  let over = false;
  const wake = (): void => waiting.forEach((look) => look());

  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    wake();
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  // The program may end before it has read its input.
  child.stdin.on('error', () => undefined).end(input);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      over = true;
      wake();
      resolve({ code, stdout: lines.join('\n'), stderr });
    });
  });
  return {
    pid: child.pid ?? 0,
    ended,
    kill: (signal) => void child.kill(signal),
    line: (fits) =>
      new Promise((resolve) => {
        let seen = 0;
        const look = (): void => {
          const found = lines.slice(seen).find(fits);
          seen = lines.length;
          if (found === undefined && !over) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
  };
};

/** Runs a program to its end. */
export const runProgram = (
  name: keyof typeof PROGRAMS,
  args: readonly string[],
  project: TempProject,
  options?: SpawnOptions,
): Promise<Ended> => startProgram(name, args, project, options).ended;

/** Runs `clout … --json`, expects it to succeed and parses what it printed. */
export const cloutJson = async (
  args: readonly string[],
  project: TempProject,
  options?: SpawnOptions,
): Promise<unknown> => {
  const { code, stdout, stderr } = await runProgram('clout', [...args, '--json'], project, options);
  if (code !== 0) throw new Error(`clout ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`);
  return JSON.parse(stdout) as unknown;
};
