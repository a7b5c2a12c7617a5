import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPreset, PRESETS } from '@cloutagent/mcp';
import { ROOT } from '../../scripts/support/run.mjs';
import { serveTaskMcp } from './serve.mjs';

/** Servers are installed here from the lock files of their presets, as `clout mcp add --preset` does. */
const FOLDER = `${ROOT}bench/.peers/mcp-servers`;
const FILESYSTEM = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-filesystem/dist/index.js'));
const TASK_MCP = `${ROOT}packages/task-mcp/bin/task-mcp.mjs`;
const DATABASE = 'cloutagent_interop';

const hasCommand = (name) => {
  try {
    execFileSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** A database of our own on the local PostgreSQL; undefined where there is none. */
const openDatabase = () => {
  const psql = (...args) => execFileSync('psql', ['-h', '127.0.0.1', '-U', 'postgres', ...args], { stdio: 'pipe' });
  try {
    psql('-c', `drop database if exists ${DATABASE}`);
    psql('-c', `create database ${DATABASE}`);
  } catch {
    return undefined;
  }
  return {
    url: `postgresql://postgres@127.0.0.1/${DATABASE}`,
    drop: () => void psql('-c', `drop database if exists ${DATABASE} with (force)`),
  };
};

const install = (id) => {
  const preset = PRESETS.find((candidate) => candidate.id === id);
  return installPreset(preset, { folder: FOLDER, env: process.env });
};

/**
 * Real servers with the calls that show that they work. `marker` stands in the environment of every process that they start,
 * so that what is left of them can be found.
 */
export const openServers = async (marker) => {
  const folder = mkdtempSync(join(tmpdir(), 'interop-servers-'));
  const repository = join(folder, 'repository');
  mkdirSync(repository);
  execFileSync('git', ['init', '-q'], { cwd: repository });
  const missing = [];
  const database = openDatabase();
  if (database === undefined) missing.push('postgres: no PostgreSQL on 127.0.0.1');
  const hasBrowser = hasCommand('chromium');
  if (!hasBrowser) missing.push('playwright: no chromium');
  const http = await serveTaskMcp(folder);

  const targets = [];
  const stdio = (id, args, calls, env = {}, startMs = 60_000) =>
    targets.push({
      calls,
      target: {
        transport: 'stdio',
        id,
        command: process.execPath,
        args,
        env: { ...env, INTEROP_MARKER: marker },
        cwd: folder,
        startMs,
      },
    });
  const preset = async (id, args, calls, bin) => {
    const { entry } = PRESETS.find((candidate) => candidate.id === id);
    const made = entry({ args, dataDir: folder, asRoot: process.getuid?.() === 0 });
    const program = await install(id);
    stdio(id, [program, ...made.args], calls, made.env);
    if (bin === undefined) return;
    // As people start them: npx, which starts a shell, which starts the server.
    const cwd = program.slice(0, program.indexOf('/node_modules/'));
    targets.at(-1).wrap = { command: 'npx', args: ['--no-install', bin, ...made.args], cwd };
  };
  mkdirSync(join(folder, 'mcp'));
  stdio('filesystem', [FILESYSTEM, folder], [['list_directory', { path: folder }, 'repository']]);
  await preset('everything', [], [['echo', { message: 'hello' }, 'hello']]);
  await preset(
    'memory',
    [],
    [
      ['create_entities', { entities: [{ name: 'Ann', entityType: 'person', observations: ['likes tea'] }] }, 'Ann'],
      ['search_nodes', { query: 'tea' }, 'Ann'],
    ],
    'mcp-server-memory',
  );
  await preset(
    'sequential-thinking',
    [],
    [
      [
        'sequentialthinking',
        { thought: 'First', nextThoughtNeeded: false, thoughtNumber: 1, totalThoughts: 1 },
        'thoughtNumber',
      ],
    ],
  );
  await preset(
    'sqlite',
    [join(folder, 'data.db')],
    [
      ['execute', { sql: 'create table notes (text)' }, ''],
      ['execute', { sql: "insert into notes values ('kept')" }, ''],
      ['query', { sql: 'select text from notes' }, 'kept'],
    ],
  );
  await preset('git', [folder], [['git_status', { path: repository }, 'currentBranch']]);
  if (database !== undefined)
    await preset('postgres', [database.url], [['query', { sql: 'select 41 + 1 as answer' }, '42']]);
  if (hasBrowser)
    await preset(
      'playwright',
      [`--executable-path=${execFileSync('sh', ['-c', 'command -v chromium']).toString().trim()}`],
      [
        ['browser_navigate', { url: 'data:text/html,<title>Shop</title><h1>Teapots</h1>' }, 'Shop'],
        ['browser_snapshot', {}, 'Teapots'],
      ],
      'playwright-mcp',
    );
  const changes = [['changes.active', {}, 'active changes']];
  stdio('task-stdio', [TASK_MCP], changes);
  for (const [id, path, transport] of [
    ['task-http', '/mcp', 'http'],
    ['task-sse', '/sse', 'sse'],
  ])
    targets.push({
      calls: changes,
      target: {
        transport,
        id,
        url: `${http.url}${path}`,
        headers: { authorization: `Bearer ${http.token}` },
        allowNetworks: ['loopback'],
      },
    });

  return {
    targets,
    missing,
    http,
    close: async () => {
      await http.stop();
      try {
        database?.drop();
      } catch {
        // Somebody else is in it; the next run drops it.
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
