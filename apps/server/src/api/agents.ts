import type { AgentExecute, StreamChunk } from '@cloutagent/contract';
import type { Workbench } from '../workbench.ts';
import { created, type Handlers } from './bind.ts';

type AgentRoutes =
  | 'agentsList'
  | 'agentCreate'
  | 'agentShow'
  | 'agentDelete'
  | 'agentExecute'
  | 'agentStream'
  | 'agentTokens';

const optionsOf = ({ input: _input, ...options }: AgentExecute, name: string) => ({ ...options, userId: name });

export const agentHandlers = ({ agents, requireData }: Workbench): Pick<Handlers, AgentRoutes> => ({
  agentsList: async () => ({ agents: [...(await agents.list())] }),
  agentCreate: async ({ body }) => {
    await requireData();
    return created(await agents.create(body));
  },
  agentShow: ({ params }) => agents.show(params['id'] ?? ''),
  agentDelete: async ({ params }) => {
    const id = params['id'] ?? '';
    await agents.remove(id);
    return { id, deleted: true };
  },
  agentExecute: async ({ params, body, context }) => {
    await requireData();
    const options = { ...optionsOf(body, context.principal.name), signal: context.signal };
    return agents.execute(params['id'] ?? '', body.input, options, () => undefined);
  },
  agentStream: async ({ params, body, context }) => {
    const id = params['id'] ?? '';
    await agents.show(id);
    await requireData();
    return {
      kind: 'stream',
      contentType: 'text/event-stream',
      heartbeat: true,
      run: async (writer) => {
        const options = { ...optionsOf(body, context.principal.name), signal: writer.signal };
        // The promise of a write is settled when the reader has room again, which holds the model up.
        const emit = (chunk: StreamChunk): Promise<void> => writer.sse({ event: 'chunk', data: JSON.stringify(chunk) });
        await agents.execute(id, body.input, options, emit);
      },
    };
  },
  agentTokens: async ({ params, body, context }) => ({
    inputTokens: (await agents.countTokens(params['id'] ?? '', body.input, context.signal)) ?? null,
  }),
});
