import { codeOf, toErrorBody } from '@cloutagent/contract';
import { ProtocolError, ProtocolErrorCode, ResourceNotFoundError, McpServer } from './sdk.ts';
import { findTool } from '../input.ts';
import type { Caller } from '../run-tool.ts';
import { announceChanges } from './announce.ts';
import { PROTOCOL_VERSIONS } from './factory.ts';
import { TASKS_EXTENSION } from './task.ts';
import { callTool, readContents, type McpDeps } from './perform.ts';
import type { Era } from './wire.ts';
import { completeSlug, listedResources, RESOURCE_TEMPLATES } from './resources.ts';
import { toolDescriptions } from './schema.ts';

const INSTRUCTIONS =
  'OpenSpec changes: change.open starts one from a template, changes.active lists them, change.archive merges and ' +
  'archives one. Read change://{slug}/proposal, /tasks and /delta/{file} for its documents.';

const protocolError = (error: unknown): ProtocolError => {
  const body = toErrorBody(error);
  const internal = body.code === 'INTERNAL_ERROR';
  const code = internal ? ProtocolErrorCode.InternalError : ProtocolErrorCode.InvalidParams;
  return new ProtocolError(code, body.message, body);
};

const NOT_THERE: readonly (string | undefined)[] = ['RESOURCE_NOT_FOUND', 'CHANGE_NOT_FOUND', 'NOT_FOUND'];

export const serverInfo = (version: string) => ({ name: 'task', title: 'Task MCP', version });

export interface ServerContext {
  readonly caller: Caller;
  readonly era: Era;
  /** The server has one client only, from its first message to its last. */
  readonly own: boolean;
  /** The transport serves the Tasks extension. */
  readonly tasks: boolean;
}

/** One MCP server over the tools and resources, for one caller; the same for both eras and every transport. */
export const makeMcpServer = (deps: McpDeps, { caller, era, own, tasks }: ServerContext): McpServer => {
  const { changes, log } = deps;
  const mcp = new McpServer(serverInfo(deps.version), {
    supportedProtocolVersions: PROTOCOL_VERSIONS,
    capabilities: {
      tools: {},
      resources: { listChanged: true, subscribe: true },
      completions: {},
      // The HTTP transport makes tasks of long calls; over stdio no call is answered early.
      ...(tasks ? { extensions: { [TASKS_EXTENSION]: {} } } : {}),
    },
    instructions: INSTRUCTIONS,
    cacheHints: { 'tools/list': { ttlMs: 300_000, cacheScope: 'public' } },
  });

  // The tools and URIs have rules and errors of their own, so the handlers are ours and not made from registrations.
  const { server } = mcp;
  server.setRequestHandler('tools/list', () => ({ tools: toolDescriptions() }));

  server.setRequestHandler('tools/call', async ({ params }, { mcpReq: { signal } }) => {
    try {
      findTool(params.name);
    } catch (error) {
      throw protocolError(error);
    }
    return callTool(deps, { ...caller, signal }, params.name, params.arguments);
  });

  server.setRequestHandler('resources/list', async ({ params }) => {
    try {
      return await listedResources(changes, params?.cursor);
    } catch (error) {
      throw protocolError(error);
    }
  });

  server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: RESOURCE_TEMPLATES }));

  server.setRequestHandler('resources/read', async ({ params }) => {
    try {
      return await readContents(deps, params.uri);
    } catch (error) {
      if (NOT_THERE.includes(codeOf(error))) throw new ResourceNotFoundError(params.uri, toErrorBody(error).message);
      throw protocolError(error);
    }
  });

  server.setRequestHandler('completion/complete', async ({ params }) => {
    const asked = params.ref.type === 'ref/resource' && params.argument.name === 'slug';
    if (!asked) return { completion: { values: [] } };
    return { completion: await completeSlug(changes, params.argument.value) };
  });

  announceChanges(mcp, changes.watch, { era, own, log });
  return mcp;
};
