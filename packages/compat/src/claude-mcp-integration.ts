import type { StreamChunk } from '@cloutagent/contract';
import { createAnthropicModel, loadPrices, openAgents, openMemoryJournal, profileOf } from '@cloutagent/engine';
import { systemClock, systemRandom, type Clock } from '@cloutagent/kit';
import { actionOf, toChangeAnswer, toPlainAnswer, type ChangeAnswer, type PlainAnswer } from './change-answer.ts';
import { openTaskTools, SERVER_ID, type TaskCall, type TaskMcpAddress } from './task-tools.ts';

export interface IntegrationOptions {
  /** Server that speaks the Messages API; Anthropic's own by default. */
  readonly apiUrl?: string;
  /** `claude-opus-5-5`, or any that the server has. */
  readonly model?: string;
  /** Largest answer of one model call; 1024, as in the seed. */
  readonly maxTokens?: number;
  readonly clock?: Clock;
}

export type RequestAnswer = ChangeAnswer | PlainAnswer;

/** Chunks of the streaming twin, in the order `status* claude_chunk* (result | error)?`; a plain answer has chunks alone. */
export type RequestChunk =
  | { readonly type: 'status'; readonly message: string }
  | { readonly type: 'claude_chunk'; readonly text: string }
  | { readonly type: 'result'; readonly data: ChangeAnswer }
  | { readonly type: 'error'; readonly message: string };

export interface RequestOptions {
  readonly signal?: AbortSignal;
}

const SYSTEM =
  'You manage changes of a project. Use the tools to create, archive or list changes when that is what is asked for; ' +
  'a slug is made of small letters, digits and dashes. Answer everything else in plain words, without a tool.';
/** Look, act, tell: more turns are a model that is lost. */
const MOST_TURNS = 6;

/**
 * Seed 000's integration: a person's words in, a change created, archived or listed, or a plain answer out. Claude decides
 * by calling the tools of Task MCP; each request is one agent with its own connection, so nothing stays open in between.
 */
export class ClaudeMCPIntegration {
  readonly #apiKey: string;
  readonly #taskMcp: TaskMcpAddress;
  readonly #options: IntegrationOptions;

  constructor(anthropicApiKey: string, taskMcpClient: TaskMcpAddress, options: IntegrationOptions = {}) {
    this.#apiKey = anthropicApiKey;
    this.#taskMcp = taskMcpClient;
    this.#options = options;
  }

  /** Throws where Claude or Task MCP cannot be reached, and with the tool's words where it refused. */
  async processUserRequest(userMessage: string, options: RequestOptions = {}): Promise<RequestAnswer> {
    return this.#run(userMessage, options, () => undefined);
  }

  /** The same with chunks; failures are an `error` chunk. A promise of `onChunk` holds the model up until it is settled. */
  async processStreamingRequest(
    userMessage: string,
    onChunk: (chunk: RequestChunk) => void | Promise<void>,
    options: RequestOptions = {},
  ): Promise<void> {
    const teller = openTeller(onChunk);
    try {
      const answer = await this.#run(userMessage, options, teller.tell);
      if (answer.type !== 'message') await onChunk({ type: 'result', data: answer });
    } catch (error) {
      await onChunk({ type: 'error', message: error instanceof Error ? error.message : String(error) });
    }
  }

  async #run(
    userMessage: string,
    { signal }: RequestOptions,
    onChunk: (chunk: StreamChunk) => void | Promise<void>,
  ): Promise<RequestAnswer> {
    const { clock = systemClock, model = 'claude-opus-5-5', maxTokens = 1024 } = this.#options;
    const baseUrl = this.#options.apiUrl ?? 'https://api.anthropic.com';
    const calls: TaskCall[] = [];
    const claude = createAnthropicModel({ baseUrl, apiKey: this.#apiKey, clock });
    const agents = openAgents({
      journal: openMemoryJournal(clock),
      clock,
      random: systemRandom,
      model: () => claude,
      openTools: () => openTaskTools(this.#taskMcp, clock, calls),
      prices: loadPrices(),
      profile: profileOf(baseUrl),
      simulated: false,
      projectId: 'integration',
    });
    try {
      const agent = await agents.createAgent({
        id: 'changes',
        name: 'Changes',
        model,
        maxTokens,
        maxIterations: MOST_TURNS,
        systemPrompt: SYSTEM,
        mcpServers: [{ id: SERVER_ID, name: SERVER_ID, transport: 'http', url: this.#taskMcp.baseUrl }],
      });
      const result = await agents.streamExecution(agent, userMessage, onChunk, { signal });
      // What was done is done, even where the words about it did not come.
      const answer = toChangeAnswer(calls);
      if (answer !== undefined) return answer;
      if (result.status !== 'completed') throw new Error(result.userMessage ?? result.error ?? 'The request failed');
      return toPlainAnswer(result, model);
    } finally {
      await agents.close();
    }
  }
}

/** The seed's other name for it: both do both. */
export class StreamingClaudeMCPIntegration extends ClaudeMCPIntegration {}

/** Chunks of an agent → those of the seed: what the tools do is status, what is said without a tool is `claude_chunk`. */
const openTeller = (onChunk: (chunk: RequestChunk) => void | Promise<void>) => {
  let acted = false;
  return {
    async tell(chunk: StreamChunk): Promise<void> {
      if (chunk.type === 'content' && !acted) await onChunk({ type: 'claude_chunk', text: chunk.content });
      const action = chunk.type === 'tool_call' ? actionOf(chunk.toolCall.name) : undefined;
      if (action === undefined) return;
      if (!acted) await onChunk({ type: 'status', message: `Processing ${action.name} request...` });
      acted = true;
      await onChunk({ type: 'status', message: action.progress });
    },
  };
};
