import { allows, CloutError, McpServerConfig, type McpTestRequest, type McpTestStep } from '@cloutagent/contract';
import type { Reply } from '@cloutagent/http';
import { PRESETS } from '@cloutagent/mcp';
import type { McpServers } from '../wire/mcp.ts';
import { created, type Handlers } from './bind.ts';

type McpRoutes =
  | 'mcpServers'
  | 'mcpPresets'
  | 'mcpServerAdd'
  | 'mcpServerRemove'
  | 'mcpServerApprove'
  | 'mcpRekey'
  | 'mcpServerTest'
  | 'mcpServerTools'
  | 'mcpToolCall'
  | 'mcpTestConnection';

/** What is to be tried: the entry in the request, or the registered one where it names an id alone. */
const configToTry = async (mcp: McpServers, request: McpTestRequest): Promise<McpServerConfig> => {
  const { id, name: title = '', command, args, env, url, headers, allowNetworks } = request;
  if (command === undefined && url === undefined) return approvedConfig(mcp, id);
  const transport = request.transport ?? (url === undefined || url === '' ? 'stdio' : 'http');
  const parsed = McpServerConfig.safeParse({
    // The seed makes ids from the time and names from what people write.
    id:
      id
        .toLowerCase()
        .replaceAll(/[^a-z0-9-]/gu, '-')
        .replace(/^-+/u, '')
        .slice(0, 32) || 'server',
    title,
    transport,
    ...(transport === 'stdio' ? { command, args, env } : { url, headers, allowNetworks }),
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new CloutError(
    'INVALID_INPUT',
    `Invalid body: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}`,
  );
};

/** Only what an administrator approved is started for others, a test included. */
const approvedConfig = async (mcp: McpServers, id: string): Promise<McpServerConfig> => {
  const { config, approved } = await mcp.registry.get(id);
  if (approved) return config;
  throw new CloutError('MCP_NOT_APPROVED', `The MCP server "${id}" has changed since it was approved`, {
    hint: `An administrator looks at it and approves it: clout mcp approve ${id}`,
    details: { server: id },
  });
};

const TEST_FAILED = 400;

const toSeedAnswer = (steps: readonly McpTestStep[]): Reply => {
  const last = steps.at(-1);
  if (last?.step === 'failed')
    return { kind: 'json', status: TEST_FAILED, body: { success: false, error: last.error } };
  const listed = steps.find((step) => step.step === 'tools/list');
  return { kind: 'json', body: { success: true, tools: listed?.tools ?? [] } };
};

export const mcpHandlers = (mcp: McpServers): Pick<Handlers, McpRoutes> => ({
  mcpServers: async ({ context }) => ({ servers: [...(await mcp.statuses(allows(context.principal, 'admin')))] }),
  mcpPresets: () => ({
    presets: PRESETS.map(({ id, title, args, needs, package: from }) => ({
      id,
      title,
      args,
      needs,
      ...(from === undefined ? {} : { package: { name: from.name, version: from.version } }),
    })),
  }),
  mcpServerAdd: async ({ body, context }) => created(await mcp.add(body, context.principal.name, context.signal)),
  mcpServerRemove: async ({ params }) => {
    const id = params['id'] ?? '';
    await mcp.remove(id);
    return { id, removed: true };
  },
  mcpServerApprove: ({ params, body, context }) =>
    mcp.approve(params['id'] ?? '', {
      by: context.principal.name,
      signal: context.signal,
      ...(body.digest === undefined ? {} : { digest: body.digest }),
    }),
  mcpRekey: async () => ({ secrets: await mcp.rekey() }),
  mcpServerTest: async ({ params, body, context }) => {
    const config = await approvedConfig(mcp, params['id'] ?? '');
    const steps: McpTestStep[] = [];
    const last = await mcp.test(config, body.params, { signal: context.signal, emit: (step) => void steps.push(step) });
    return { success: last.step === 'done', steps };
  },
  mcpServerTools: async ({ params, context }) => {
    const id = params['id'] ?? '';
    // Not `using`: the bundle of the command line keeps it as it is, and Node 20 does not know it.
    const lease = await mcp.pool.open([{ id }], { signal: context.signal });
    try {
      const { drift } = await mcp.status(id, false);
      return { tools: [...lease.tools().values()], ...(drift === undefined ? {} : { drift }) };
    } finally {
      await lease.close();
    }
  },
  mcpToolCall: async ({ params, body, context }) => {
    const id = params['id'] ?? '';
    const ref = Object.keys(body.params).length === 0 ? { id } : { id, params: body.params };
    const lease = await mcp.pool.open([ref], { signal: context.signal });
    try {
      return await lease.call(lease.tool(`${id}:${body.tool}`), body.input, {
        signal: context.signal,
        idempotencyKey: context.requestId,
        ...(body.timeoutMs === undefined ? {} : { timeoutMs: body.timeoutMs }),
      });
    } finally {
      await lease.close();
    }
  },
  mcpTestConnection: async ({ body, context }) => {
    const config = await configToTry(mcp, body);
    const params = body.params ?? {};
    if (context.headers.accept?.includes('text/event-stream') !== true) {
      const steps: McpTestStep[] = [];
      await mcp.test(config, params, { signal: context.signal, emit: (step) => void steps.push(step) });
      return toSeedAnswer(steps);
    }
    return {
      kind: 'stream',
      contentType: 'text/event-stream',
      run: async (writer) => {
        // Steps are few and come in order; each is sent before the next.
        let sent = Promise.resolve();
        await mcp.test(config, params, {
          signal: writer.signal,
          emit: (step) => {
            sent = sent.then(() => writer.sse({ event: 'step', data: JSON.stringify(step) }));
          },
        });
        await sent;
      },
    };
  },
});
