import { codeOf } from '@cloutagent/contract';
import { showAnswer, showFigures } from '../answer.ts';
import type { Register } from '../context.ts';
import { withKey } from '../with-key.ts';
import { withServer } from '../with-server.ts';
import { temporaryId, toAgent, withAgentOptions, type AgentOptions } from './agent.ts';

export const registerChat: Register = (program, context) => {
  withAgentOptions(
    program
      .command('chat')
      .description('talk to an agent, a line at a time; Ctrl-C stops an answer, and ends the chat between answers'),
  ).action(
    context.action(async (options: AgentOptions) =>
      withServer(context, async (session) => {
        const { io, output } = context;
        const id = temporaryId(context, 'chat');
        await withKey(context, session, () => session.call('agentCreate', { body: toAgent(id, options) }));
        const lines = io.readLines('> ');
        let answering = false;
        let conversationId: string | undefined;
        const listen = (): (() => void) =>
          io.onInterrupt(() => {
            if (!answering) lines.close();
          });
        let stopListening = listen();
        try {
          for await (const line of lines) {
            if (line.trim() === '') continue;
            answering = true;
            // While an answer comes Ctrl-C is its own; afterwards the first one counts anew.
            stopListening();
            try {
              const result = await showAnswer(context, session, { agentId: id, input: line, conversationId });
              if (result !== undefined) {
                conversationId = result.conversationId ?? conversationId;
                output.line('');
                output.note(output.style.dim(result.error ?? showFigures(result)));
              }
            } catch (error) {
              if (codeOf(error) === undefined) throw error;
              output.note(error instanceof Error ? error.message : String(error));
            } finally {
              answering = false;
              stopListening = listen();
            }
          }
        } finally {
          stopListening();
          lines.close();
          await session.call('agentDelete', { params: { id } });
        }
        return 0;
      }),
    ),
  );
};
