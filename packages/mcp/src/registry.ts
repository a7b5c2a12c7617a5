import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute } from 'node:path';
import { CloutError, McpServerConfig, type McpServerRef, type McpTool } from '@cloutagent/contract';
import * as z from 'zod';
import type { Approvals } from './approvals.ts';
import type { ServerSource } from './pool.ts';
import type { SecretSources } from './secret-reference.ts';
import { sealConfig, secretIds } from './secret-value.ts';
import { programOf, serverDigest } from './server-digest.ts';
import type { Target } from './target.ts';
import { toTarget } from './to-target.ts';
import { pinsOf } from './tool-digest.ts';

/** More than anybody looks through. */
const MAX_SERVERS = 200;

const RegistryFile = z.strictObject({ format: z.literal(1), servers: z.array(McpServerConfig).max(MAX_SERVERS) });

export interface RegistryDeps {
  /** `mcp.json` of the data folder. */
  readonly file: string;
  readonly approvals: Approvals;
  /** Servers that come with us: approved, and not to be changed. */
  readonly builtIn: readonly McpServerConfig[];
  /** Where servers start that name no folder. */
  readonly root: string;
  readonly secrets: SecretSources;
  /** Value of PATH that commands are found in. */
  readonly searchPath: string;
  readonly now: () => number;
}

export interface RegisteredServer {
  readonly config: McpServerConfig;
  readonly builtIn: boolean;
  readonly digest: string;
  readonly approved: boolean;
}

/**
 * The MCP servers that an administrator registered. An entry is used only as it was approved: whoever changes the file
 * changes nothing that runs.
 */
export interface Registry extends ServerSource {
  list(): Promise<readonly RegisteredServer[]>;
  /** Throws MCP_SERVER_NOT_FOUND. */
  get(id: string): Promise<RegisteredServer>;
  /** Adds and approves an entry; its secrets are sealed. Throws MCP_SERVER_EXISTS, and INVALID_INPUT for a program that is not there. */
  add(config: McpServerConfig, options: { readonly by: string; readonly replace?: boolean }): Promise<RegisteredServer>;
  /** Throws MCP_SERVER_NOT_FOUND, and FORBIDDEN for one that comes with us. */
  remove(id: string): Promise<void>;
  /** Approves the entry as it is now, and these tools; without tools, the next list. */
  approve(id: string, options: { readonly by: string; readonly tools?: readonly McpTool[] }): Promise<RegisteredServer>;
  /** An entry as a target, approved or not: only for an administrator who looks before approving. */
  target(config: McpServerConfig, params?: Readonly<Record<string, string>>): Promise<Target>;
}

export const openRegistry = (deps: RegistryDeps): Registry => {
  const { file, approvals } = deps;
  const read = async (): Promise<readonly McpServerConfig[]> => {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch {
      return [];
    }
    const json = toJson(text);
    const parsed = RegistryFile.safeParse(json);
    if (parsed.success) return parsed.data.servers;
    const why = json === undefined ? 'it is no JSON' : z.prettifyError(parsed.error).replaceAll('\n', ' ');
    throw new CloutError('VALIDATION_ERROR', `${file} cannot be read: ${why}`, {
      hint: 'Mend the file, or remove it and add the servers again: clout mcp add',
    });
  };
  const write = async (servers: readonly McpServerConfig[]): Promise<void> => {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const staged = `${file}.${process.pid}`;
    await writeFile(staged, `${JSON.stringify({ format: 1, servers }, undefined, 2)}\n`, { mode: 0o600 });
    await rename(staged, file);
  };
  /** Changes come one after another; each reads the file anew, because people edit it. */
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  };
  const describe = async (config: McpServerConfig, builtIn: boolean): Promise<RegisteredServer> => {
    const digest = await serverDigest(config, deps.searchPath);
    return { config, builtIn, digest, approved: builtIn || approvals.get(config.id)?.digest === digest };
  };
  const isBuiltIn = (id: string): boolean => deps.builtIn.some((config) => config.id === id);
  const list = async (): Promise<readonly RegisteredServer[]> => {
    const own = (await read()).filter(({ id }) => !isBuiltIn(id));
    return Promise.all([
      ...deps.builtIn.map((config) => describe(config, true)),
      ...own.map((config) => describe(config, false)),
    ]);
  };
  const get = async (id: string): Promise<RegisteredServer> => {
    const found = (await list()).find(({ config }) => config.id === id);
    if (found === undefined) throw new CloutError('MCP_SERVER_NOT_FOUND', `There is no MCP server "${id}"`);
    return found;
  };
  const requireOwn = (id: string): void => {
    if (isBuiltIn(id))
      throw new CloutError('FORBIDDEN', `The MCP server "${id}" comes with CloutAgent and stays as it is`, {
        hint: 'Add another beside it: clout mcp add --preset filesystem --args PATH',
      });
  };
  /** What is approved must be there: a program that comes later is another than the one that was looked at. */
  const requireProgram = async (config: McpServerConfig): Promise<void> => {
    // A path in the project is found when it is started.
    if (config.transport !== 'stdio' || (config.command.includes('/') && !isAbsolute(config.command))) return;
    if ((await programOf(config.command, deps.searchPath)) !== null) return;
    throw new CloutError('INVALID_INPUT', `There is no program ${config.command} that could be started`, {
      hint: 'Install it first, or write its whole path',
    });
  };
  /** The entry with its secrets sealed; as it is where nothing seals. */
  const sealed = async (config: McpServerConfig): Promise<McpServerConfig> => {
    const { store } = deps.secrets;
    return store === undefined ? config : sealConfig(config, (value) => store.put(value));
  };
  /** Writes the entries, then forgets the secrets that nobody refers to any more. */
  const writeAll = async (servers: readonly McpServerConfig[]): Promise<void> => {
    await write(servers);
    await deps.secrets.store?.keep(new Set(servers.flatMap(secretIds)));
  };
  const target: Registry['target'] = (config, params = {}) =>
    toTarget(config, params, { root: deps.root, secrets: deps.secrets });

  return {
    list,
    get,
    target,
    add: (given, { by, replace = false }) =>
      inTurn(async () => {
        const { id: name } = given;
        const servers = await read();
        const exists = isBuiltIn(name) || servers.some(({ id }) => id === name);
        if (exists && (!replace || isBuiltIn(name)))
          throw new CloutError('MCP_SERVER_EXISTS', `There is an MCP server "${name}" already`);
        await requireProgram(given);
        const others = servers.filter(({ id }) => id !== name);
        if (others.length >= MAX_SERVERS)
          throw new CloutError('INVALID_INPUT', `More than ${MAX_SERVERS} MCP servers cannot be registered`);
        const config = await sealed(given);
        await writeAll([...others, config]);
        const digest = await serverDigest(config, deps.searchPath);
        await approvals.set(name, { digest, by, at: deps.now() });
        return describe(config, false);
      }),
    remove: (id) =>
      inTurn(async () => {
        requireOwn(id);
        await get(id);
        await writeAll((await read()).filter((config) => config.id !== id));
        await approvals.remove(id);
      }),
    approve: (id, { by, tools }) =>
      inTurn(async () => {
        requireOwn(id);
        const before = await get(id);
        // Secrets that somebody wrote into the file go where the others are.
        const config = await sealed(before.config);
        const isChanged = secretIds(config).length > secretIds(before.config).length;
        if (isChanged) await writeAll((await read()).map((one) => (one.id === id ? config : one)));
        const digest = isChanged ? await serverDigest(config, deps.searchPath) : before.digest;
        await approvals.set(id, {
          digest,
          by,
          at: deps.now(),
          ...(tools === undefined ? {} : { tools: { ...pinsOf(tools) } }),
        });
        return describe(config, false);
      }),
    find: async ({ id, params }: McpServerRef) => {
      const { config, approved } = await get(id);
      if (!config.enabled)
        throw new CloutError('MCP_SERVER_NOT_FOUND', `The MCP server "${id}" is switched off`, {
          hint: 'An administrator can switch it on: enabled in its entry',
        });
      if (!approved)
        throw new CloutError('MCP_NOT_APPROVED', `The MCP server "${id}" has changed since it was approved`, {
          hint: `An administrator looks at it and approves it: clout mcp approve ${id}`,
          details: { server: id },
        });
      return { target: await target(config, params), idleMs: config.idleMs };
    },
    pins: (id) => (isBuiltIn(id) ? undefined : approvals.get(id)?.tools),
    pin: (id, tools) => {
      const approval = approvals.get(id);
      if (approval === undefined) return;
      approvals.set(id, { ...approval, tools: { ...pinsOf(tools) } }).catch(() => undefined);
    },
  };
};

const toJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
