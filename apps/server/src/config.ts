import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { profileOf, PROVIDER_NAMES, PROVIDERS, type ProviderProfile, type ProxyAddresses } from '@cloutagent/engine';
import { CloutError, Config, parseUsd, PriceFile, type EnvironmentVariable } from '@cloutagent/contract';
import { readFrontSettings, wholeNumber, type FrontSettings } from '@cloutagent/http';
import { parse } from 'yaml';
import * as z from 'zod';

/** The process's environment as the product knows it: only the variables of contract/config.ts. */
export type Environment = Readonly<Partial<Record<EnvironmentVariable, string>>>;

/** A variable that an administrator's entry refers to by `env:NAME`; it is no setting of ours. */
export const secretVariable = (name: string): string | undefined => process.env[name];

/** What is settled about one data folder: the file's values under the environment's. */
export interface Settings {
  readonly config: Config;
  /** Limit of the project's budget in nano-dollars; null = recorded, not limited. */
  readonly projectLimitNanoUsd: number | null;
  readonly costs: CostSettings;
  /** `apiKey` is undefined where no real run is possible. */
  readonly anthropic: {
    readonly apiKey: string | undefined;
    readonly url: string;
    readonly profile: ProviderProfile;
    /** Milliseconds of one model call. */
    readonly timeoutMs: number;
    readonly proxy: ProxyAddresses;
  };
  /** Executions at once. */
  readonly maxConcurrent: number;
  readonly front: FrontSettings;
  /** File of the audit log; `stderr` writes it to the log, undefined leaves it out. */
  readonly auditLog: string | undefined;
}

/** What ENABLE_COST_LIMITS, the webhook's variables and `prices.json` say. */
export interface CostSettings {
  readonly enforced: boolean;
  readonly webhook: { readonly url: string; readonly secret: Buffer } | undefined;
  readonly prices: PriceFile | undefined;
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

/**
 * A key for servers that ask for none, because the SDK sends one always. Nobody else's text holds it, so that hiding
 * keys in messages hides no ordinary word.
 */
export const placeholderKey = (): string => `no-key-${randomBytes(8).toString('hex')}`;

const modelUrl = (environment: Environment): string => {
  const text = (environment.ANTHROPIC_API_URL ?? '').trim() || 'https://api.anthropic.com';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '') {
    // The value is not repeated: an address may hold a password.
    throw new CloutError('VALIDATION_ERROR', 'ANTHROPIC_API_URL is not an http:// or https:// address', {
      hint: 'Write the whole address with its scheme and without a password, such as http://127.0.0.1:8080',
    });
  }
  return text;
};

const modelProfile = (environment: Environment): ProviderProfile => {
  const name = (environment.ANTHROPIC_API_PROFILE ?? '').trim();
  if (name === '') return profileOf(modelUrl(environment));
  const known = PROVIDER_NAMES.find((one) => one === name);
  if (known !== undefined) return PROVIDERS[known];
  throw new CloutError('VALIDATION_ERROR', `ANTHROPIC_API_PROFILE is "${name}", which is no profile`, {
    hint: `Use one of: ${PROVIDER_NAMES.join(', ')}`,
  });
};

const modelKey = (environment: Environment): string | undefined => {
  const key = (environment.ANTHROPIC_API_KEY ?? '').trim();
  if (key === '') return environment.ANTHROPIC_API_URL?.trim() ? placeholderKey() : undefined;
  if (!/^[\u0021-\u007e]+$/u.test(key)) {
    throw new CloutError('VALIDATION_ERROR', 'ANTHROPIC_API_KEY holds a blank, a line break or a letter beyond ASCII', {
      hint: 'Copy the key again, in one line and without quotes',
    });
  }
  return key;
};

const invalid = (message: string, hint: string): CloutError => new CloutError('VALIDATION_ERROR', message, { hint });

const readPrices = async (file: string): Promise<PriceFile | undefined> => {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    // No file: the table of the product holds.
    return undefined;
  }
  const hint = 'Mend the file or remove it; docs/costs.md shows what it takes';
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw invalid(`${file} is not valid JSON`, hint);
  }
  const parsed = PriceFile.safeParse(document);
  if (!parsed.success) throw invalid(`${file}: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`, hint);
  return parsed.data;
};

/** Shorter secrets can be guessed; the standard asks for 24 bytes. */
const MIN_SECRET_BYTES = 24;

const webhookOf = (environment: Environment): CostSettings['webhook'] => {
  const url = (environment.COST_ALERT_WEBHOOK_URL ?? '').trim();
  if (url === '') return undefined;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !['http:', 'https:'].includes(parsed.protocol) || parsed.password !== '')
    throw invalid(
      'COST_ALERT_WEBHOOK_URL is not an http:// or https:// address',
      'Write the whole address without a password',
    );
  const secret = Buffer.from((environment.COST_ALERT_WEBHOOK_SECRET ?? '').trim().replace(/^whsec_/u, ''), 'base64');
  if (secret.length < MIN_SECRET_BYTES)
    throw invalid(
      `COST_ALERT_WEBHOOK_SECRET holds fewer than ${MIN_SECRET_BYTES} bytes`,
      'Make one: echo "whsec_$(openssl rand -base64 32)"',
    );
  return { url, secret };
};

const costSettings = async (dataDir: string, environment: Environment): Promise<CostSettings> => {
  const enable = (environment.ENABLE_COST_LIMITS ?? '').trim().toLowerCase();
  if (!['', 'true', 'false'].includes(enable))
    throw invalid('ENABLE_COST_LIMITS is neither true nor false', 'Write ENABLE_COST_LIMITS=false, or leave it out');
  return {
    enforced: enable !== 'false',
    webhook: webhookOf(environment),
    prices: await readPrices(path.join(dataDir, 'prices.json')),
  };
};

/** Reads `config.yaml` of the data folder and lays the environment over it. */
export const readSettings = async (dataDir: string, environment: Environment): Promise<Settings> => {
  const config = await readConfig(path.join(dataDir, 'config.yaml'));
  return {
    config,
    projectLimitNanoUsd: config.budget.project === null ? null : (parseUsd(config.budget.project) ?? null),
    anthropic: {
      apiKey: modelKey(environment),
      url: modelUrl(environment),
      profile: modelProfile(environment),
      timeoutMs: wholeNumber(environment, 'DEFAULT_TIMEOUT_MS', 120_000, { min: 100, max: 3_600_000 }),
      proxy: { http: environment.HTTP_PROXY, https: environment.HTTPS_PROXY, no: environment.NO_PROXY },
    },
    maxConcurrent: wholeNumber(environment, 'MAX_CONCURRENT_EXECUTIONS', 10, { min: 1, max: 10_000 }),
    costs: await costSettings(dataDir, environment),
    front: await readFrontSettings(environment),
    auditLog: auditLogOf(dataDir, environment),
  };
};
