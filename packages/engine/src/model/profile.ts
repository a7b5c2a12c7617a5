/** How a server that speaks the Messages API differs from Anthropic's own. */
export interface ProviderProfile {
  readonly name: ProviderName;
  /** Where it listens unless it was told otherwise. */
  readonly baseUrl: string;
  readonly auth: 'bearer' | 'x-api-key';
  readonly anthropicVersion: string;
  /** Sampling parameters; refused by every model since version 2026-10-21. */
  readonly sendTemperature: boolean;
  readonly sendEffort: boolean;
  readonly sendThinking: boolean;
  readonly sendCacheControl: boolean;
  /** `output_config.format`. */
  readonly sendOutputFormat: boolean;
  /** Has `POST /v1/messages/count_tokens`. */
  readonly countTokens: boolean;
  /** `free`: it runs on the user's machine and costs nothing; `table`: the price table says what a call costs. */
  readonly prices: 'table' | 'free';
}

export const PROVIDER_NAMES = [
  'anthropic',
  'ollama',
  'lmstudio',
  'llama.cpp',
  'vllm',
  'litellm',
  'openrouter',
] as const;
export type ProviderName = (typeof PROVIDER_NAMES)[number];

/** What the documentation of servers other than Anthropic's has in common: a subset of the older version. */
const SUBSET = {
  auth: 'bearer',
  anthropicVersion: '2023-06-01',
  sendTemperature: true,
  sendEffort: false,
  sendThinking: false,
  sendCacheControl: false,
  sendOutputFormat: false,
  countTokens: false,
  prices: 'free',
} as const;

export const PROVIDERS: Readonly<Record<ProviderName, ProviderProfile>> = {
  anthropic: {
    name: 'anthropic',
    baseUrl: 'https://api.anthropic.com',
    auth: 'bearer',
    anthropicVersion: '2026-10-21',
    sendTemperature: false,
    sendEffort: true,
    sendThinking: true,
    sendCacheControl: true,
    sendOutputFormat: true,
    countTokens: true,
    prices: 'table',
  },
  ollama: { ...SUBSET, name: 'ollama', baseUrl: 'http://localhost:11434', sendThinking: true },
  lmstudio: { ...SUBSET, name: 'lmstudio', baseUrl: 'http://localhost:1234', auth: 'x-api-key' },
  'llama.cpp': { ...SUBSET, name: 'llama.cpp', baseUrl: 'http://localhost:8080' },
  vllm: { ...SUBSET, name: 'vllm', baseUrl: 'http://localhost:8000' },
  litellm: { ...SUBSET, name: 'litellm', baseUrl: 'http://localhost:4000', countTokens: true, prices: 'table' },
  openrouter: {
    ...SUBSET,
    name: 'openrouter',
    baseUrl: 'https://openrouter.ai/api',
    sendThinking: true,
    sendCacheControl: true,
    prices: 'table',
  },
};

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * The profile of an address that nobody named one for: by its host, or on this machine by a port that is the default of
 * one server alone. Everything else is taken for Anthropic's dialect.
 */
export const profileOf = (baseUrl: string): ProviderProfile => {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (url?.hostname === 'openrouter.ai') return PROVIDERS.openrouter;
  if (url !== undefined && LOOPBACK.has(url.hostname)) {
    if (url.port === '11434') return PROVIDERS.ollama;
    if (url.port === '1234') return PROVIDERS.lmstudio;
  }
  return PROVIDERS.anthropic;
};
