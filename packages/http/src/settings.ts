import { readFile } from 'node:fs/promises';
import { CloutError, type EnvironmentVariable } from '@cloutagent/contract';
import { isLoopback } from './site.ts';
import type { FrontOptions, Tokens } from './types.ts';

/** What the environment says of a front. */
export interface FrontSettings extends Pick<
  FrontOptions,
  'allowedOrigins' | 'rateLimit' | 'trustedProxies' | 'requestTimeoutMs' | 'securityHeaders' | 'debugHeader' | 'tls'
> {
  readonly tokens: Tokens;
  /** Where `/metrics` is served without a token; always loopback. */
  readonly metricsBind?: { readonly host: string; readonly port: number };
  /** Largest answer of a tool. */
  readonly maxResponseBytes: number;
}

type Environment = Readonly<Partial<Record<EnvironmentVariable, string>>>;

const refuse = (name: EnvironmentVariable, problem: string, hint: string): CloutError =>
  new CloutError('VALIDATION_ERROR', `${name} ${problem}`, { hint });

/** Comma-separated words, blanks around them dropped. */
export const listOf = (text: string | undefined): readonly string[] =>
  (text ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

/** VALIDATION_ERROR for anything but a whole number from `min` to `max`. */
export const wholeNumber = (
  environment: Environment,
  name: EnvironmentVariable,
  fallback: number,
  { min = 0, max }: { readonly min?: number; readonly max: number },
): number => {
  const text = environment[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw refuse(
    name,
    `is '${text}', which is not a whole number from ${min} to ${max}`,
    `Unset ${name}, or give it a whole number`,
  );
};

const flag = (environment: Environment, name: EnvironmentVariable, fallback: boolean): boolean => {
  const text = (environment[name] ?? '').toLowerCase();
  if (text === '') return fallback;
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw refuse(name, `is '${text}', which is neither true nor false`, `Set ${name} to true or false`);
};

/** A day: what is longer is a mistake in the unit. */
const LONGEST_MS = 86_400_000;

const rateLimitOf = (environment: Environment): FrontOptions['rateLimit'] => {
  const rate = wholeNumber(environment, 'RATE_LIMIT', 60, { max: 1e9 });
  const burst = wholeNumber(environment, 'RATE_LIMIT_BURST', 90, { min: 1, max: 1e9 });
  const windowMs = wholeNumber(environment, 'RATE_LIMIT_WINDOW_MS', 60_000, { min: 1, max: LONGEST_MS });
  const redisUrl = environment.REDIS_URL ?? '';
  const shared = flag(environment, 'ENABLE_DISTRIBUTED_RATE_LIMIT', false);
  if (rate === 0) return undefined;
  if (!shared) return { rate, burst, windowMs };
  // The value is not shown: it may hold a password.
  if (!/^rediss?:\/\//u.test(redisUrl) || !URL.canParse(redisUrl))
    throw refuse(
      'REDIS_URL',
      'is no redis:// address',
      'ENABLE_DISTRIBUTED_RATE_LIMIT needs REDIS_URL=redis://HOST:PORT',
    );
  return { rate, burst, windowMs, redisUrl };
};

const readPem = async (environment: Environment, name: 'TLS_CERT_FILE' | 'TLS_KEY_FILE'): Promise<Buffer> => {
  const file = environment[name] ?? '';
  if (file === '') throw refuse(name, 'is not set', 'HTTPS needs both TLS_CERT_FILE and TLS_KEY_FILE');
  try {
    return await readFile(file);
  } catch (cause) {
    throw new CloutError('VALIDATION_ERROR', `${name}: cannot read ${file}`, { hint: 'Check path and mode', cause });
  }
};

const tlsOf = async (environment: Environment): Promise<FrontOptions['tls']> => {
  if (!environment.TLS_CERT_FILE && !environment.TLS_KEY_FILE) return undefined;
  return { cert: await readPem(environment, 'TLS_CERT_FILE'), key: await readPem(environment, 'TLS_KEY_FILE') };
};

const metricsBindOf = (environment: Environment): FrontSettings['metricsBind'] => {
  const text = environment.METRICS_BIND ?? '';
  if (text === '') return undefined;
  const [, host = '', port = ''] = /^(.+):(\d{1,5})$/u.exec(text) ?? [];
  const bare = host.replace(/^\[(.*)\]$/u, '$1');
  if (!isLoopback(bare) || Number(port) > 65_535)
    throw refuse('METRICS_BIND', `is '${text}', which is no loopback address and port`, 'Use 127.0.0.1:9464');
  return { host: bare, port: Number(port) };
};

/** Reads the variables of a front. VALIDATION_ERROR names the one that is wrong. */
export const readFrontSettings = async (environment: Environment): Promise<FrontSettings> => {
  const rateLimit = rateLimitOf(environment);
  const tls = await tlsOf(environment);
  const metricsBind = metricsBindOf(environment);
  const timeout = wholeNumber(environment, 'REQUEST_TIMEOUT_MS', 30_000, { max: LONGEST_MS });
  return {
    tokens: { user: listOf(environment.AUTH_TOKENS), admin: listOf(environment.ADMIN_TOKENS) },
    allowedOrigins: listOf(environment.ALLOWED_ORIGINS),
    trustedProxies: listOf(environment.TRUSTED_PROXIES),
    securityHeaders: flag(environment, 'SECURITY_HEADERS_ENABLED', true),
    maxResponseBytes: wholeNumber(environment, 'MAX_RESPONSE_SIZE_KB', 1024, { min: 1, max: 1_048_576 }) * 1024,
    ...(environment.NODE_ENV === 'production' ? { debugHeader: false } : {}),
    ...(timeout === 0 ? {} : { requestTimeoutMs: timeout }),
    ...(rateLimit === undefined ? {} : { rateLimit }),
    ...(tls === undefined ? {} : { tls }),
    ...(metricsBind === undefined ? {} : { metricsBind }),
  };
};
