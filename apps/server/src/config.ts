import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { CloutError, Config, parseUsd, type EnvironmentVariable } from '@cloutagent/contract';
import { readFrontSettings, wholeNumber, type FrontSettings } from '@cloutagent/http';
import { parse } from 'yaml';
import * as z from 'zod';

/** The process's environment as the product knows it: only the variables of contract/config.ts. */
export type Environment = Readonly<Partial<Record<EnvironmentVariable, string>>>;

/** What is settled about one data folder: the file's values under the environment's. */
export interface Settings {
  readonly config: Config;
  /** Limit of the project's budget in nano-dollars; null = recorded, not limited. */
  readonly projectLimitNanoUsd: number | null;
  /** `apiKey` is undefined where no real run is possible. */
  readonly anthropic: { readonly apiKey: string | undefined; readonly url: string };
  readonly front: FrontSettings;
  /** File of the audit log; `stderr` writes it to the log, undefined leaves it out. */
  readonly auditLog: string | undefined;
}

export const DEFAULT_PORT = 8443;
export const DEFAULT_HOST = '127.0.0.1';

/** Address to bind: flag, then environment, then default. */
export const bindAddress = (
  environment: Environment,
  flags: { readonly port?: number | undefined; readonly host?: string | undefined },
): { readonly port: number; readonly host: string } => ({
  port: flags.port ?? wholeNumber(environment, 'PORT', DEFAULT_PORT, { max: 65_535 }),
  host: flags.host ?? (environment.HOST || DEFAULT_HOST),
});

/**
 * Project root: `--cwd`, else `WORKING_DIRECTORY`, else the current folder. The openspec folder itself is accepted and
 * stands for its parent (seed 002).
 */
export const resolveRoot = (cwd: string, environment: Environment, flag?: string): string => {
  const folder = path.resolve(cwd, flag ?? (environment.WORKING_DIRECTORY || '.'));
  return path.basename(folder) === 'openspec' ? path.dirname(folder) : folder;
};

/** Data folder of a project root. */
export const resolveDataDir = (root: string, environment: Environment): string =>
  path.resolve(root, environment.CLOUTAGENT_DATA || '.cloutagent');

const readConfig = async (file: string): Promise<Config> => {
  let text = '';
  try {
    text = await readFile(file, 'utf8');
  } catch {
    // No file: every value has a default.
  }
  let document: unknown;
  try {
    document = parse(text) ?? {};
  } catch (cause) {
    throw new CloutError('VALIDATION_ERROR', `${file} is not valid YAML`, {
      hint: 'Mend the file or remove it',
      cause,
    });
  }
  const parsed = Config.safeParse(document);
  if (!parsed.success) {
    throw new CloutError('VALIDATION_ERROR', `${file}: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`, {
      hint: 'Mend the file or remove it; docs/reference/environment.md lists the settings',
    });
  }
  return parsed.data;
};

const auditLogOf = (dataDir: string, environment: Environment): string | undefined => {
  const target = environment.AUDIT_LOG || path.join(dataDir, 'audit.jsonl');
  return target === 'off' ? undefined : target;
};

/** Reads `config.yaml` of the data folder and lays the environment over it. */
export const readSettings = async (dataDir: string, environment: Environment): Promise<Settings> => {
  const config = await readConfig(path.join(dataDir, 'config.yaml'));
  return {
    config,
    projectLimitNanoUsd: config.budget.project === null ? null : (parseUsd(config.budget.project) ?? null),
    anthropic: {
      // Local servers that speak the Messages API ask for no key, and the SDK sends one always.
      apiKey: environment.ANTHROPIC_API_KEY || (environment.ANTHROPIC_API_URL ? 'none' : undefined),
      url: environment.ANTHROPIC_API_URL || 'https://api.anthropic.com',
    },
    front: await readFrontSettings(environment),
    auditLog: auditLogOf(dataDir, environment),
  };
};
