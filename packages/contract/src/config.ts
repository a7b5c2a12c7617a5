import * as z from 'zod';
import { UsdText } from './money.ts';

/** `.cloutagent/config.yaml`. Order of precedence: flag, environment, file, default. */
export const Config = z
  .object({
    model: z.string().default('claude-sonnet-5-5'),
    budget: z
      .object({ project: UsdText.nullable().default('20.00') })
      .strict()
      .prefault({}),
    run: z
      .object({
        maxIterations: z.int().min(1).max(500).default(50),
        maxAttempts: z.int().min(1).max(10).default(3),
        maxTokens: z.int().min(512).max(128_000).default(8192),
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
  MAX_RESPONSE_SIZE_KB: 'Largest answer of a tool in kilobytes; 1024',
  LOG_LEVEL: 'trace, debug, info, warn, error or silent; info',
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
