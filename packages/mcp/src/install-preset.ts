import { spawn } from 'node:child_process';
import { access, copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CloutError } from '@cloutagent/contract';
import { createByteRing } from './byte-ring.ts';
import type { Preset } from './presets.ts';

/** Lock files of the presets: every package by version and hash. They lie beside `src` and `dist` alike. */
const LOCKS = fileURLToPath(new URL('../presets/', import.meta.url));
const MAX_OUTPUT = 8_192;

const exists = async (file: string): Promise<boolean> => {
  try {
    await access(file);
    return true;
  } catch {
    return false;
  }
};

/**
 * Installs the package of a preset below a folder, from its lock file and without running any script of it, and returns its
 * program. What is installed already is taken. Only an administrator comes here, when an entry is made; a start of a server
 * fetches nothing. Throws MCP_INSTALL_FAILED with the end of what npm said.
 */
export const installPreset = async (
  preset: Preset & { readonly package: NonNullable<Preset['package']> },
  options: {
    /** Folder that keeps installed servers. */
    readonly folder: string;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly signal?: AbortSignal;
  },
): Promise<string> => {
  const { name, version, program } = preset.package;
  const home = join(options.folder, `${preset.id}-${version}`);
  const installed = join(home, 'node_modules', name, program);
  if (await exists(installed)) return installed;
  const staged = `${home}.${process.pid}`;
  await rm(staged, { recursive: true, force: true });
  await mkdir(staged, { recursive: true, mode: 0o700 });
  try {
    for (const file of ['package.json', 'package-lock.json'])
      await copyFile(join(LOCKS, preset.id, file), join(staged, file));
    await npmCi(staged, preset.id, options);
    await rm(home, { recursive: true, force: true });
    await rename(staged, home);
  } finally {
    await rm(staged, { recursive: true, force: true });
  }
  return installed;
};

const npmCi = (
  cwd: string,
  preset: string,
  { env, signal }: { readonly env: Readonly<Record<string, string | undefined>>; readonly signal?: AbortSignal },
): Promise<void> =>
  new Promise((resolve, reject) => {
    const ring = createByteRing(MAX_OUTPUT);
    const fail = (what: string, cause?: unknown): void =>
      reject(
        new CloutError('MCP_INSTALL_FAILED', `The MCP server of the preset ${preset} cannot be installed: ${what}`, {
          cause,
          details: { preset, output: ring.text().trim() },
        }),
      );
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    const child = spawn('npm', args, {
      cwd,
      env: { ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(signal === undefined ? {} : { signal }),
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => ring.push(chunk)).on('error', () => {});
    child.on('error', (error) => fail(error.message, error));
    child.on('close', (code) => (code === 0 ? resolve() : fail(`npm ended with ${code ?? 'a signal'}`)));
  });
