import type { McpServerInput } from '@cloutagent/contract';

/** What a preset is made of; `args` come after those that the preset needs itself. */
export interface Preset {
  readonly id: string;
  readonly title: string;
  /** What `--args` are, in words. */
  readonly args: string;
  /** How many `--args` it needs at least. */
  readonly needs: number;
  /** Folder of its lock file, and the program in what is installed from it; absent where it comes with us. */
  readonly package?: { readonly name: string; readonly version: string; readonly program: string };
  /** Everything of its entry but id, command and the first argument. */
  readonly entry: (options: {
    readonly args: readonly string[];
    readonly dataDir: string;
    readonly asRoot: boolean;
  }) => Pick<McpServerInput & { transport: 'stdio' }, 'args' | 'env' | 'timeouts'>;
}

const plain: Preset['entry'] = ({ args }) => ({ args: [...args] });

/** The web-search preset stands for one of these two. */
const SEARCH_WITH_KEY = 'brave-search';
const SEARCH_WITHOUT_KEY = 'playwright';

export const PRESETS: readonly Preset[] = [
  {
    id: 'filesystem',
    title: 'Files below folders',
    args: 'the folders that it may use',
    needs: 1,
    entry: plain,
  },
  {
    id: 'task-mcp',
    title: 'OpenSpec changes of a project',
    args: 'nothing',
    needs: 0,
    entry: plain,
  },
  {
    id: 'everything',
    title: 'Everything that the protocol has, for trying',
    args: 'nothing',
    needs: 0,
    package: {
      name: '@modelcontextprotocol/server-everything',
      version: '2026.8.31',
      program: 'dist/index.js',
    },
    entry: plain,
  },
  {
    id: 'memory',
    title: 'A knowledge graph that is kept',
    args: 'nothing',
    needs: 0,
    package: { name: '@modelcontextprotocol/server-memory', version: '2026.8.31', program: 'dist/index.js' },
    entry: ({ args, dataDir }) => ({ args: [...args], env: { MEMORY_FILE_PATH: `${dataDir}/mcp/memory.jsonl` } }),
  },
  {
    id: 'sequential-thinking',
    title: 'Thinking step by step',
    args: 'nothing',
    needs: 0,
    package: {
      name: '@modelcontextprotocol/server-sequential-thinking',
      version: '2026.8.31',
      program: 'dist/index.js',
    },
    entry: plain,
  },
  {
    id: 'sqlite',
    title: 'A SQLite database',
    args: 'the file of the database',
    needs: 1,
    package: { name: 'mcp-server-sqlite', version: '0.0.2', program: 'dist/cli.js' },
    entry: plain,
  },
  {
    id: 'git',
    title: 'Git repositories',
    args: 'the folder that its repositories are in',
    needs: 1,
    package: { name: '@cyanheads/git-mcp-server', version: '2.15.3', program: 'dist/index.js' },
    entry: ({ args: [folder = ''] }) => ({
      args: [],
      env: { MCP_TRANSPORT_TYPE: 'stdio', MCP_LOG_LEVEL: 'error', GIT_BASE_DIR: folder },
    }),
  },
  {
    id: 'postgres',
    title: 'A PostgreSQL database, read-only',
    args: 'postgresql://USER@HOST/DATABASE; the password stands in PGPASSWORD',
    needs: 1,
    package: { name: '@modelcontextprotocol/server-postgres', version: '0.6.2', program: 'dist/index.js' },
    entry: plain,
  },
  {
    id: 'playwright',
    title: 'A web browser',
    args: 'options of the browser, such as --executable-path=PATH',
    needs: 0,
    package: { name: '@playwright/mcp', version: '0.0.83', program: 'cli.js' },
    // A browser takes its time to start, and pages to load.
    entry: ({ args, asRoot }) => ({
      args: ['--headless', '--isolated', ...(asRoot ? ['--no-sandbox'] : []), ...args],
      timeouts: { startMs: 60_000 },
    }),
  },
  {
    id: 'brave-search',
    title: 'Web search by Brave; its key stands in BRAVE_API_KEY',
    args: 'nothing',
    needs: 0,
    package: { name: '@brave/brave-search-mcp-server', version: '2.1.4', program: 'dist/index.js' },
    entry: ({ args }) => ({
      args: ['--transport', 'stdio', ...args],
      env: { BRAVE_API_KEY: 'env:BRAVE_API_KEY' },
    }),
  },
];

/** `web-search` is Brave's where there is a key, else a browser. */
export const presetOf = (name: string, hasSearchKey: boolean): Preset | undefined => {
  const id = name === 'web-search' ? (hasSearchKey ? SEARCH_WITH_KEY : SEARCH_WITHOUT_KEY) : name;
  return PRESETS.find((preset) => preset.id === id);
};
