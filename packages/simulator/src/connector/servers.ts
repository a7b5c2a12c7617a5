import { invalid } from '../refusal.ts';
import { isRecord } from '../request.ts';
import { optional, readList, readOneOf, readRecord, readString, refuseUnknown } from '../validate/read.ts';
import type { McpServer, RemoteTool } from './types.ts';

type Fields = Readonly<Record<string, unknown>>;

/** One of them has to be in the header `anthropic-beta`. */
const BETAS = ['mcp-client-2025-11-20', 'mcp-client-2026-09-15'];
const SERVER = new Set(['type', 'name', 'url', 'authorization_token', 'tool_configuration']);
const TOOLSET = new Set(['type', 'mcp_server_name', 'default_config', 'configs', 'cache_control', 'tools']);
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
const MOST_SERVERS = 20;

/** Servers and toolsets of a request; every server has exactly one toolset, and every toolset a server. */
export const readServers = (
  body: Fields,
  tools: readonly Fields[],
  betas: ReadonlySet<string>,
): readonly McpServer[] => {
  const toolsets = tools.filter(({ type }) => type === 'mcp_toolset').map(readToolset);
  const servers = optional(body['mcp_servers'], (list) => readList(list, 'mcp_servers')) ?? [];
  if (servers.length === 0 && toolsets.length === 0) return [];
  if (!BETAS.some((beta) => betas.has(beta))) throw invalid(`mcp_servers: needs the beta ${BETAS.join(' or ')}`);
  if (servers.length > MOST_SERVERS) throw invalid(`mcp_servers: List should have at most ${MOST_SERVERS} items`);
  const named = servers.map((server, index) => readServer(server, `mcp_servers.${index}`));
  if (new Set(named.map(({ name }) => name)).size < named.length) throw invalid('mcp_servers: names must be unique');
  const stray = toolsets.find(({ server }) => !named.some(({ name }) => name === server));
  if (stray !== undefined) throw invalid(`tools: MCP server '${stray.server}' not found in mcp_servers`);
  return named.map((server) => {
    const [toolset, another] = toolsets.filter((one) => one.server === server.name);
    if (toolset === undefined || another !== undefined)
      throw invalid(`mcp_servers: MCP server '${server.name}' must be named by exactly one mcp_toolset`);
    return { ...server, isEnabled: toolset.isEnabled, pinned: toolset.pinned };
  });
};

const readServer = (value: unknown, path: string): Pick<McpServer, 'name' | 'url' | 'token'> => {
  const server = readRecord(value, path);
  readOneOf(server['type'], `${path}.type`, ['url']);
  refuseUnknown(server, SERVER, path);
  const name = readString(server['name'], `${path}.name`);
  const text = readString(server['url'], `${path}.url`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // The real API reaches public addresses alone; a simulator on this machine is for servers on this machine.
  const isHttp = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.has(url.hostname));
  if (url === undefined || !isHttp || url.username !== '') throw invalid(`${path}.url: URL must start with https://`);
  return { name, url: text, token: optional(server['authorization_token'], (token) => readToken(token, path)) };
};

const readToken = (value: unknown, path: string): string => {
  const token = readString(value, `${path}.authorization_token`);
  if (/^Bearer\s|[\r\n]/iu.test(token))
    throw invalid(`${path}.authorization_token: the token alone, without the word Bearer`);
  return token;
};

const readToolset = (tool: Fields, index: number) => {
  const path = `tools.${index}`;
  refuseUnknown(tool, TOOLSET, path);
  const server = readString(tool['mcp_server_name'], `${path}.mcp_server_name`);
  const standard = optional(tool['default_config'], (value) => readRecord(value, `${path}.default_config`)) ?? {};
  const configs = optional(tool['configs'], (value) => readRecord(value, `${path}.configs`)) ?? {};
  const pinned = optional(tool['tools'], (value) => readList(value, `${path}.tools`))?.map((item, place) =>
    readPinned(item, `${path}.tools.${place}`),
  );
  const isEnabled = (name: string): boolean => {
    const own = Object.hasOwn(configs, name) ? configs[name] : undefined;
    const enabled = isRecord(own) && own['enabled'] !== undefined ? own['enabled'] : standard['enabled'];
    return enabled !== false;
  };
  return { server, isEnabled, pinned };
};

const readPinned = (value: unknown, path: string): RemoteTool => {
  const tool = readRecord(value, path);
  return {
    name: readString(tool['name'], `${path}.name`),
    description: optional(tool['description'], (text) => readString(text, `${path}.description`)) ?? null,
    input_schema: readRecord(tool['input_schema'], `${path}.input_schema`),
  };
};
