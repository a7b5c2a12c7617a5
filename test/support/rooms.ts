/** Which rooms a room may import: arrows point down only. A room that is not listed may not exist. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'packages/contract': [],
  'packages/kit': ['contract'],
  'packages/http': ['contract', 'kit'],
  'packages/openspec': ['contract', 'kit'],
  'packages/mcp': ['contract', 'kit'],
  'packages/store': ['contract', 'kit'],
  'packages/engine': ['contract', 'kit'],
  'packages/client': ['contract', 'kit'],
  'packages/lane': ['contract', 'kit', 'engine', 'openspec'],
  'packages/task-mcp': ['contract', 'kit', 'http', 'openspec'],
  'packages/compat': ['contract', 'kit', 'engine', 'mcp'],
  'packages/simulator': ['contract', 'kit', 'http'],
  'apps/server': ['contract', 'kit', 'http', 'openspec', 'mcp', 'store', 'engine', 'lane', 'task-mcp'],
  'apps/web': ['contract', 'kit', 'client'],
  'apps/cli': ['contract', 'kit', 'client', 'openspec', 'simulator', 'server'],
};

/** Rooms whose code runs in a browser. */
export const BROWSER_ROOMS = ['packages/contract', 'packages/kit', 'packages/client', 'apps/web'];

/**
 * The only files that import a vendor's package, so that its traps stay in one place: one file each, but for the MCP
 * SDK, whose transports have to be written against its interface.
 */
export const VENDOR_HOMES: Readonly<Record<string, readonly string[]>> = {
  '@anthropic-ai/sdk': ['packages/engine/src/model/anthropic.ts'],
  '@modelcontextprotocol/client': [
    'packages/mcp/src/asks.ts',
    'packages/mcp/src/call-tool.ts',
    'packages/mcp/src/connection.ts',
    'packages/mcp/src/era.ts',
    'packages/mcp/src/http.ts',
    'packages/mcp/src/link.ts',
    'packages/mcp/src/stdio-transport.ts',
    'packages/mcp/src/stdio.ts',
  ],
  '@modelcontextprotocol/server': ['packages/task-mcp/src/mcp/sdk.ts', 'packages/task-mcp/src/mcp/stdio.ts'],
  'find-my-way': ['packages/http/src/routing.ts'],
  'ipaddr.js': ['packages/mcp/src/guarded-fetch.ts'],
  ioredis: ['packages/http/src/shared-limiter.ts'],
  libsql: ['packages/store/src/libsql.ts'],
  pino: ['apps/server/src/log.ts'],
  undici: ['packages/engine/src/model/pool-fetch.ts'],
  sirv: ['packages/http/src/assets.ts'],
  yaml: ['packages/openspec/src/meta.ts', 'apps/server/src/config.ts', 'apps/server/src/workflow-file.ts'],
};

/**
 * The kinds of file that may read the environment; one of them because the seed's classes are made without arguments.
 */
export const mayReadEnvironment = (file: string): boolean =>
  file === 'apps/server/src/config.ts' ||
  file === 'packages/compat/src/environment.ts' ||
  /^(packages|apps)\/[^/]+\/src\/bin\.ts$/u.test(file);
