import * as z from 'zod';
import { McpServerId } from './mcp-server.ts';
import { UsdText } from './money.ts';

const isTimeZone = (name: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
};

/** `.cloutagent/config.yaml`. Order of precedence: flag, environment, file, default. */
export const Config = z
  .object({
    model: z.string().default('claude-sonnet-5-5'),
    budget: z
      .object({
        /** Limit of the project over all time; applied when it changes here, so that `clout cost limit` may raise it. */
        project: UsdText.nullable().default('20.00'),
        /** Whose days, weeks and months the limits over such times count (IANA name). */
        timeZone: z.string().refine(isTimeZone, 'must be a time zone such as Europe/Berlin').default('UTC'),
        /** Let models run whose price nobody knows; they are booked at nothing and marked. */
        allowUnpriced: z.boolean().default(false),
      })
      .strict()
      .prefault({}),
    run: z
      .object({
        maxIterations: z.int().min(1).max(500).default(50),
        maxAttempts: z.int().min(1).max(10).default(3),
        maxTokens: z.int().min(512).max(128_000).default(8192),
        /** Ids of registered MCP servers whose tools runs of changes get beside the files of the project. */
        mcpServers: z.array(McpServerId).max(32).default([]),
      })
      .strict()
      .prefault({}),
    archive: z
      .object({
        /** What an archive asks of done tasks that no run did. Unset: required once the change was planned or run here, else warn. */
        evidence: z.enum(['off', 'warn', 'required']).optional(),
      })
      .strict()
      .prefault({}),
  })
  .strict();
export interface Config extends z.infer<typeof Config> {}

/** Every environment variable that the product reads, and only these. */
export const ENVIRONMENT = {
  PORT: 'Port of `clout up` and `task-mcp --http`; 8443',
  HOST: 'Address to bind; 127.0.0.1. Another than loopback needs AUTH_TOKENS or ADMIN_TOKENS',
  WORKING_DIRECTORY: 'Project root, or its openspec folder; the current folder',
  CLOUTAGENT_DATA: 'Data folder; .cloutagent in the project root',
  AUTH_TOKENS: 'Comma-separated tokens that may read and run',
  ADMIN_TOKENS: 'Comma-separated tokens that may do everything',
  ALLOWED_ORIGINS: 'Comma-separated web origins that may call the server from a browser',
  ANTHROPIC_API_KEY: 'Key for the Messages API',
  ANTHROPIC_API_URL: 'Base URL of a server that speaks the Messages API; https://api.anthropic.com',
  ANTHROPIC_API_PROFILE:
    'What the server of ANTHROPIC_API_URL takes: anthropic, ollama, lmstudio, llama.cpp, vllm, litellm or openrouter; by its address',
  CLOUT_SECRET_KEY:
    'Key of the secrets of MCP servers, 64 hexadecimal digits; older ones behind commas. Else a file in the folder of your settings',
  DEFAULT_TIMEOUT_MS: 'Milliseconds after which one model call is given up, while it streams too; 120000',
  MAX_CONCURRENT_EXECUTIONS: 'Executions of agents, and runs, that are driven at once; 10. Further ones queue',
  HTTP_PROXY: 'Proxy for model servers with http:// addresses',
  HTTPS_PROXY: 'Proxy for model servers with https:// addresses',
  NO_PROXY: 'Comma-separated hosts that need no proxy',
  ENABLE_COST_LIMITS: 'false records and alerts what runs cost, and stops none of them at a limit; true',
  COST_ALERT_WEBHOOK_URL: 'Address that gets each cost alert as a signed POST (standardwebhooks.com)',
  COST_ALERT_WEBHOOK_SECRET: 'Secret of the signature, whsec_ and base64; needed with COST_ALERT_WEBHOOK_URL',
  MAX_RESPONSE_SIZE_KB: 'Largest answer of a tool in kilobytes; 1024',
  RATE_LIMIT: 'Requests in RATE_LIMIT_WINDOW_MS that a token, or an address without one, gets back; 60. 0 = no limit',
  RATE_LIMIT_BURST: 'Requests that may come at once: the size of the bucket; 90',
  RATE_LIMIT_WINDOW_MS: 'Milliseconds in which RATE_LIMIT requests come back; 60000',
  ENABLE_DISTRIBUTED_RATE_LIMIT: 'true shares the limits with other processes over REDIS_URL',
  REDIS_URL: 'redis://HOST:PORT of the Redis that shares the limits',
  TRUSTED_PROXIES: 'Comma-separated addresses and networks whose X-Forwarded-For and X-Forwarded-Proto are believed',
  REQUEST_TIMEOUT_MS: 'Milliseconds until a request is cancelled with REQUEST_TIMEOUT; 30000. 0 = never',
  SECURITY_HEADERS_ENABLED: 'false leaves CSP and the other security headers to a proxy; true',
  TLS_CERT_FILE: 'Certificate chain (PEM) to serve HTTPS with; needs TLS_KEY_FILE',
  TLS_KEY_FILE: 'Private key (PEM) of TLS_CERT_FILE',
  METRICS_BIND: 'Loopback address and port, such as 127.0.0.1:9464, that serves /metrics without a token',
  AUDIT_LOG: 'File of the audit log, stderr, or off; audit.jsonl in the data folder, stderr for task-mcp',
  LOG_LEVEL: 'trace, debug, info, warn, error or silent; info',
  DEBUG: 'Names of debug lines, or of levels, to show whatever LOG_LEVEL says, such as task-mcp:* or task-mcp:error',
  NODE_ENV: 'production: X-Debug is answered to nobody. Logs are JSON lines whatever it says',
  NO_COLOR: 'Set to anything: no colour on the terminal (no-color.org)',
  XDG_CONFIG_HOME: 'Where the list of trusted folders is kept; ~/.config',
  HOME: 'Home folder; used where XDG_CONFIG_HOME is not set, and passed on to MCP servers and check commands',
  PATH: 'Passed on to MCP servers and check commands',
  SHELL: 'Passed on to MCP servers and check commands',
  TERM: 'Passed on to MCP servers and check commands',
  USER: 'Passed on to MCP servers and check commands',
  LOGNAME: 'Passed on to MCP servers and check commands',
  LANG: 'Passed on to MCP servers and check commands',
} as const satisfies Record<string, string>;
export type EnvironmentVariable = keyof typeof ENVIRONMENT;
