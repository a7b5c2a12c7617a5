import { readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Check, CheckResult } from '@cloutagent/contract';
import type { RunCommand } from './deps.ts';

export interface CheckDeps {
  /** Root of the project: no check looks outside. */
  readonly root: string;
  readonly trusted: boolean;
  readonly runCommand: RunCommand;
  readonly signal: AbortSignal;
}

/** Largest file that is searched for a text; a source file is a hundredth of it. */
const MAX_FILE_BYTES = 10 * 1024 * 1024;

const COMMAND_TIMEOUT_MS = 120_000;

/** Evidence of a command, from its end, where it says what went wrong. */
const MAX_OUTPUT = 4000;

/** Looks whether a condition holds. What cannot be looked at does not hold, and `detail` says why. */
export const runCheck = async (check: Check, deps: CheckDeps): Promise<CheckResult> => {
  const { ok, detail } =
    check.kind === 'run' ? await runCommandCheck(check.command, deps) : await fileCheck(check, deps.root);
  return { check, ok, detail };
};

type Verdict = Omit<CheckResult, 'check'>;

const no = (detail: string): Verdict => ({ ok: false, detail });

const fileCheck = async (check: Exclude<Check, { kind: 'run' }>, root: string): Promise<Verdict> => {
  try {
    const [folder, file] = await Promise.all([realpath(root), realpath(path.resolve(root, check.path))]);
    const inside = path.relative(folder, file);
    if (inside === '..' || inside.startsWith(`..${path.sep}`) || path.isAbsolute(inside)) {
      return no('it is outside the project folder');
    }
    return await readCheck(check, file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return no(
      code === 'ENOENT' || code === 'ENOTDIR' ? 'there is no such file' : `it cannot be read (${String(code)})`,
    );
  }
};

const readCheck = async (check: Exclude<Check, { kind: 'run' }>, file: string): Promise<Verdict> => {
  // Before anything is opened, because opening a pipe waits for a writer.
  const info = await stat(file);
  if (!info.isFile()) return no('it is not a file');
  if (check.kind === 'file-exists') return { ok: true, detail: `${info.size} bytes` };
  if (info.size > MAX_FILE_BYTES) return no(`it has ${info.size} bytes, and at most ${MAX_FILE_BYTES} are searched`);
  const text = await readFile(file, 'utf8');
  return text.includes(check.text) ? { ok: true, detail: `found in ${info.size} bytes` } : no('the text is not in it');
};

const runCommandCheck = async (command: string, deps: CheckDeps): Promise<Verdict> => {
  if (!deps.trusted) return no('NOT_TRUSTED: this folder may not run commands; look at them, then: clout trust');
  const { root, signal } = deps;
  const { exitCode, output } = await deps.runCommand({ command, cwd: root, signal, timeoutMs: COMMAND_TIMEOUT_MS });
  const said = output.trim().slice(-MAX_OUTPUT);
  const how = exitCode === null ? 'it was stopped' : `exit code ${exitCode}`;
  return { ok: exitCode === 0, detail: said === '' ? how : `${how}\n${said}` };
};
