import { createHash } from 'node:crypto';
import { mkdir, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import {
  CloutError,
  McpServerConfig,
  type McpServerAdd,
  type McpServerStatus,
  type McpTestStep,
} from '@cloutagent/contract';
import { newId, systemRandom, type Clock } from '@cloutagent/kit';
import {
  createPool,
  givenKeys,
  installPreset,
  isReference,
  keyFile,
  looksSecret,
  openApprovals,
  openRegistry,
  openSecretStore,
  presetOf,
  testServer,
  type Elicit,
  type McpPool,
  type Preset,
  type RegisteredServer,
  type Registry,
} from '@cloutagent/mcp';
import { secretVariable, type Environment } from '../config.ts';
import type { Log } from '../log.ts';
import { configFolder } from '../trust.ts';

/** The registered MCP servers of a data folder and the connections to them. */
export interface McpServers {
  readonly registry: Registry;
  readonly pool: McpPool;
  /** `whole` shows the values of variables and headers too, which whoever approves has to see; never secrets. */
  statuses(whole: boolean): Promise<readonly McpServerStatus[]>;
  status(id: string, whole: boolean): Promise<McpServerStatus>;
  add(request: McpServerAdd, by: string, signal: AbortSignal): Promise<McpServerStatus>;
  remove(id: string): Promise<void>;
  approve(
    id: string,
    options: { readonly by: string; readonly digest?: string; readonly signal: AbortSignal },
  ): Promise<McpServerStatus>;
  /** Tries an entry, registered or not; whoever calls has checked that it may be. */
  test(
    config: McpServerConfig,
    params: Readonly<Record<string, string>>,
    options: { readonly signal: AbortSignal; readonly emit: (step: McpTestStep) => void },
  ): Promise<McpTestStep>;
  /** Seals the secrets with another key; gives how many. Throws SECRET_UNREADABLE. */
  rekey(): Promise<number>;
  /** Calls back after servers were added, removed or approved. */
  onChange(handler: () => void): void;
  close(): Promise<void>;
}

/** Outputs that were too long to be shown; the oldest go first. */
const MAX_OUTPUTS = 200;

const require = createRequire(import.meta.url);
const filesystemProgram = (): string => require.resolve('@modelcontextprotocol/server-filesystem/dist/index.js');
const taskMcpProgram = (): string =>
  path.join(path.dirname(require.resolve('@cloutagent/task-mcp')), '..', 'bin', 'task-mcp.mjs');

/** The filesystem server that ships with us, rooted in the project: what runs of changes work with. */
const builtIn = (root: string): McpServerConfig =>
  McpServerConfig.parse({
    id: 'filesystem',
    title: 'Files of the project',
    transport: 'stdio',
    command: process.execPath,
    args: [filesystemProgram(), root],
    idleMs: 0,
  });

export const openMcpServers = async (deps: {
  readonly root: string;
  readonly dataDir: string;
  readonly env: Record<string, string>;
  readonly environment: Environment;
  readonly clock: Clock;
  readonly log: Log;
  /** Answers servers outside of the calls that can ask a person. */
  readonly elicit: Elicit;
}): Promise<McpServers> => {
  const { root, dataDir, env, environment, clock, log, elicit } = deps;
  const folder = path.join(dataDir, 'mcp');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { CLOUT_SECRET_KEY: given = '' } = environment;
  const keys =
    given === '' ? keyFile(await ownFile(dataDir, environment, 'key')) : givenKeys('CLOUT_SECRET_KEY', given);
  const secretStore = openSecretStore(path.join(dataDir, 'secrets.json'), keys);
  const registry = openRegistry({
    file: path.join(dataDir, 'mcp.json'),
    approvals: await openApprovals(await ownFile(dataDir, environment, 'json')),
    builtIn: [builtIn(root)],
    root,
    secrets: { variable: secretVariable, folder: dataDir, store: secretStore },
    searchPath: environment.PATH ?? '',
    now: () => clock.now(),
  });
  const connect = { env, clock, log, elicit };
  const pool = createPool({
    ...connect,
    random: systemRandom,
    servers: registry,
    spill: (text) => spill(path.join(folder, 'output'), newId('out', clock), text),
  });
  let changed = (): void => {};

  const describe = ({ config, builtIn: ours, digest, approved }: RegisteredServer, whole: boolean): McpServerStatus => {
    const reports = pool.reports().filter(({ id }) => id === config.id);
    // Several connections differ in their parameters only; the one that is worst off says most.
    const report = reports.find(({ state }) => state === 'quarantined') ?? reports.at(-1);
    const live = reports.find(({ connection }) => connection !== undefined)?.connection;
    return {
      config: withoutSecrets(config, whole),
      builtIn: ours,
      digest,
      approved,
      state: report?.state ?? 'idle',
      ...(live === undefined
        ? {}
        : { era: live.era, protocolVersion: live.protocolVersion, tools: live.tools().length }),
      ...(live?.serverInfo === undefined ? {} : { serverInfo: live.serverInfo }),
      ...(report?.drift === undefined ? {} : { drift: report.drift }),
      connections: reports.filter(({ connection }) => connection !== undefined).length,
      restarts: reports.reduce((sum, { restarts }) => sum + restarts, 0),
      ...(report?.retryAt === undefined ? {} : { retryAt: report.retryAt }),
      ...(report?.lastError === undefined ? {} : { lastError: report.lastError }),
    };
  };
  const status: McpServers['status'] = async (id, whole) => describe(await registry.get(id), whole);

  const toConfig = async (
    request: Exclude<McpServerAdd, { config: unknown }>,
    signal: AbortSignal,
  ): Promise<McpServerConfig> => {
    const preset = presetOf(request.preset, secretVariable('BRAVE_API_KEY') !== undefined);
    if (preset === undefined)
      throw new CloutError('INVALID_INPUT', `There is no preset "${request.preset}"`, {
        hint: 'clout mcp presets lists them',
      });
    if (request.args.length < preset.needs)
      throw new CloutError('INVALID_INPUT', `The preset ${preset.id} needs arguments: ${preset.args}`, {
        hint: `clout mcp add --preset ${preset.id} --args …`,
      });
    const taken = new Set((await registry.list()).map(({ config }) => config.id));
    // Outside of the project, so that nothing that comes with a repository is taken for an installed server.
    const program = await programOf(preset, path.join(configFolder(environment), 'mcp', 'servers'), env, signal);
    const entry = preset.entry({ args: request.args, dataDir, asRoot: process.getuid?.() === 0 });
    return McpServerConfig.parse({
      id: request.id ?? freeId(preset.id, request.replace ? new Set(['filesystem']) : taken),
      title: preset.title,
      transport: 'stdio',
      command: process.execPath,
      ...entry,
      args: [program, ...(entry.args ?? [])],
      env: { ...entry.env, ...request.env },
      preset: preset.package === undefined ? preset.id : `${preset.id}@${preset.package.version}`,
    });
  };

  return {
    registry,
    pool,
    status,
    statuses: async (whole) => (await registry.list()).map((server) => describe(server, whole)),
    add: async (request, by, signal) => {
      const config = 'config' in request ? request.config : await toConfig(request, signal);
      await registry.add(config, { by, replace: request.replace });
      await pool.drop(config.id);
      changed();
      return status(config.id, true);
    },
    remove: async (id) => {
      await registry.remove(id);
      await pool.drop(id);
      changed();
    },
    approve: async (id, { by, digest, signal }) => {
      const found = await registry.get(id);
      if (digest !== undefined && digest !== found.digest)
        throw new CloutError('MCP_NOT_APPROVED', `The MCP server "${id}" is another than the one that was looked at`, {
          hint: `Look at it again: clout mcp list`,
          details: { server: id, digest: found.digest },
        });
      await registry.approve(id, { by });
      await pool.drop(id);
      changed();
      // Its tools as they are now are what later ones are compared with; one that cannot be reached has none yet.
      if (Object.keys(found.config.params).length === 0) {
        const lease = await pool.open([{ id }], { partial: true, signal });
        await lease.close();
      }
      return status(id, true);
    },
    test: async (config, params, options) => testServer(await registry.target(config, params), connect, options),
    rekey: () => secretStore.rekey(),
    onChange: (handler) => {
      changed = handler;
    },
    close: () => pool.close(),
  };
};

const programOf = async (
  preset: Preset,
  folder: string,
  env: Record<string, string>,
  signal: AbortSignal,
): Promise<string> => {
  if (preset.package !== undefined)
    return installPreset({ ...preset, package: preset.package }, { folder, env, signal });
  return preset.id === 'task-mcp' ? taskMcpProgram() : filesystemProgram();
};

const freeId = (wanted: string, taken: ReadonlySet<string>): string => {
  if (!taken.has(wanted)) return wanted;
  for (let n = 2; ; n += 1) if (!taken.has(`${wanted}-${n}`)) return `${wanted}-${n}`;
};

/** One file for each data folder, which only its owner writes, and outside of it; none for a user without a home. */
const ownFile = async (dataDir: string, environment: Environment, ending: string): Promise<string | undefined> => {
  if (!environment.XDG_CONFIG_HOME && !environment.HOME) return undefined;
  const name = createHash('sha256')
    .update(await realpath(dataDir))
    .digest('hex')
    .slice(0, 32);
  return path.join(configFolder(environment), 'mcp', `${name}.${ending}`);
};

/** References are shown to all; values to those who approve, secrets that somebody wrote into the file excepted. */
const withoutSecrets = (config: McpServerConfig, whole: boolean): McpServerConfig => {
  const hide = (values: Readonly<Record<string, string>>, isHeader: boolean): Record<string, string> =>
    Object.fromEntries(
      Object.entries(values).map(([name, text]) => {
        const shown = isReference(text) || (whole && !looksSecret(name, text, isHeader));
        return [name, shown ? text : '(hidden)'];
      }),
    );
  return config.transport === 'stdio'
    ? { ...config, env: hide(config.env, false) }
    : { ...config, headers: hide(config.headers, true) };
};

/** Names begin with the time, so the first in order is the oldest. */
const spill = async (folder: string, name: string, text: string): Promise<string> => {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const old = (await readdir(folder)).sort();
  const surplus = old.slice(0, Math.max(0, old.length - MAX_OUTPUTS + 1));
  await Promise.all(surplus.map((file) => rm(path.join(folder, file), { force: true })));
  const file = path.join(folder, `${name}.txt`);
  await writeFile(file, text, { mode: 0o600 });
  return file;
};
