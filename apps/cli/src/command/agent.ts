import type { Command } from 'commander';
import { requireCompleted, showAnswer, showFigures } from '../answer.ts';
import type { Context, Register } from '../context.ts';
import { given, oneOf, wholeNumber } from '../option.ts';
import { withKey } from '../with-key.ts';
import { withServer } from '../with-server.ts';

export interface AgentOptions {
  readonly model: string;
  readonly system?: string;
  readonly server: readonly string[];
  readonly tool: readonly string[];
  readonly maxTokens?: number;
  readonly maxIterations?: number;
  readonly effort?: 'low' | 'medium' | 'high' | 'xhigh' | 'max';
  readonly simulate?: true;
}

/** Options that say what an agent is, on every command that makes one. */
export const withAgentOptions = (command: Command): Command =>
  command
    .option('--model <id>', 'model', 'claude-sonnet-5-5')
    .option('--system <text>', 'what the agent is told before everything else')
    .option('--server <ids...>', 'MCP servers whose tools it gets; clout mcp list names them', [])
    .option('--tool <names...>', 'only these tools, server:tool or server:*', [])
    .option('--max-tokens <n>', 'largest answer of one model call', wholeNumber(1, 128_000))
    .option('--max-iterations <n>', 'model calls for one answer; 5', wholeNumber(1, 500))
    .option(
      '--effort <level>',
      'how much the model thinks: low, medium, high, xhigh or max',
      oneOf('low', 'medium', 'high', 'xhigh', 'max'),
    )
    .option('--simulate', 'on the simulator: no key, no cost');

/** What the server is told of an agent. */
export const toAgent = (id: string, options: AgentOptions) => ({
  id,
  name: id,
  model: options.model,
  mcpServers: [...options.server],
  enabledTools: [...options.tool],
  simulate: options.simulate === true,
  ...given({
    systemPrompt: options.system,
    maxTokens: options.maxTokens,
    maxIterations: options.maxIterations,
    effort: options.effort,
  }),
});

/** A name that no other command of this moment uses. */
export const temporaryId = ({ io }: Context, kind: string): string => `${kind}-${process.pid}-${io.clock.now()}`;

export const registerAgent: Register = (program, context) => {
  const agent = program.command('agent').description('execute an agent once');
  withAgentOptions(
    agent
      .command('run <prompt>')
      .description('ask an agent and show its answer as it comes; Ctrl-C stops it')
      .option('--timeout <ms>', 'give up after so long', wholeNumber(1, 86_400_000)),
  ).action(
    context.action(async (prompt: string, options: AgentOptions & { readonly timeout?: number }) =>
      withServer(context, async (session) => {
        const id = temporaryId(context, 'run');
        await withKey(context, session, () => session.call('agentCreate', { body: toAgent(id, options) }));
        try {
          const result = await showAnswer(context, session, { agentId: id, input: prompt, timeout: options.timeout });
          if (result === undefined) return STOPPED;
          context.output.line('');
          for (const warning of result.warnings ?? []) context.output.note(warning);
          context.output.note(context.output.style.dim(showFigures(requireCompleted(result))));
          return 0;
        } finally {
          await session.call('agentDelete', { params: { id } });
        }
      }),
    ),
  );
};

/** Stopped by the person who asked. */
const STOPPED = 7;
