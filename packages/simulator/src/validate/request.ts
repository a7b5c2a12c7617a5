import type { Caller } from '../caller.ts';
import { readServers } from '../connector/servers.ts';
import { findModel, type ModelSpec } from '../models.ts';
import { invalid, Refusal } from '../refusal.ts';
import { localModel, type ServerProfile } from '../profile.ts';
import { isRecord, type Breakpoint, type Message, type MessagesRequest, type Prompt } from '../request.ts';
import { countInput } from '../tokens.ts';
import { readBreakpoints } from './breakpoints.ts';
import { readContent, readMessages } from './content.ts';
import { checkLast, checkPairing } from './pairing.ts';
import {
  checkRest,
  checkSampling,
  checkThinking,
  readMaxTokens,
  readOutputSchema,
  readStopSequences,
  readStream,
} from './params.ts';
import { readString, refuseUnknown } from './read.ts';
import { checkToolChoice, readTools } from './tools.ts';

type Fields = Readonly<Record<string, unknown>>;

const MEMBERS = [
  'model',
  'messages',
  'max_tokens',
  'system',
  'tools',
  'tool_choice',
  'stream',
  'stop_sequences',
  'thinking',
  'output_config',
  'cache_control',
  'metadata',
  'service_tier',
  'temperature',
  'top_p',
  'top_k',
  'container',
  'diagnostics',
  'inference_geo',
  'speed',
  'user_profile_id',
  'workspace_id',
];
/** Accepted with `?beta=true`; the simulator does nothing with them. */
const BETA_MEMBERS = [
  'betas',
  'billing_policy',
  'compaction',
  'context_management',
  'fallback_credit_token',
  'fallbacks',
  'mcp_servers',
  'output_format',
  'thread',
];

const KNOWN: ReadonlySet<string> = new Set(MEMBERS);
const KNOWN_BETA: ReadonlySet<string> = new Set([...MEMBERS, ...BETA_MEMBERS]);

export interface ReadOptions extends Caller {
  /** Milliseconds since 1970: models retire on a date. */
  readonly nowMs: number;
}

/** Reads a body of `POST /v1/messages`; throws the `Refusal` that the real API would answer. */
export const readRequest = (value: unknown, options: ReadOptions): MessagesRequest => {
  const body = readBody(value, options);
  const model = readModel(body, options);
  const maxTokens = readMaxTokens(body, model);
  checkThinking(body, model, maxTokens);
  const request = {
    ...readPrompt(body, model, options),
    outputSchema: readOutputSchema(body),
    maxTokens,
    stream: readStream(body),
    stopSequences: readStopSequences(body),
  };
  const size = request.inputTokens;
  if (size > model.contextTokens) throw invalid(`prompt is too long: ${size} tokens > ${model.contextTokens} maximum`);
  return request;
};

/** Reads a body of `POST /v1/messages/count_tokens` and counts it. */
export const readCountRequest = (value: unknown, options: ReadOptions): number => {
  const body = readBody(value, options);
  return readPrompt(body, readModel(body, options), options).inputTokens;
};

const readBody = (value: unknown, { version, beta, profile }: ReadOptions): Fields => {
  if (!isRecord(value)) throw invalid('Input should be a valid dictionary');
  refuseUnknown(value, profile.members ?? (beta ? KNOWN_BETA : KNOWN), '');
  if (beta && value['thread'] !== undefined)
    throw invalid('thread: message threads are not simulated; send the whole history');
  checkSampling(value, profile.ownModels ? version : '');
  checkRest(value);
  return value;
};

const readModel = (body: Fields, { nowMs, profile }: ReadOptions): ModelSpec => {
  const id = readString(body['model'], 'model');
  if (!profile.ownModels) return localModel(id);
  const { model, retiredOn } = findModel(id, nowMs);
  if (model !== undefined) return model;
  throw new Refusal(404, `model: ${id.slice(0, 200)}${retiredOn === undefined ? '' : ` (retired on ${retiredOn})`}`);
};

const readPrompt = (
  body: Fields,
  model: ModelSpec,
  { betas, profile }: ReadOptions,
): Omit<MessagesRequest, 'maxTokens' | 'stream' | 'stopSequences' | 'outputSchema'> => {
  const system =
    body['system'] === undefined || body['system'] === null ? [] : readContent(body['system'], 'system', 'system');
  const tools = readTools(body['tools']);
  const mcpServers = readServers(body, tools, betas);
  checkToolChoice(body['tool_choice'], tools, model);
  const messages = readMessages(body['messages'], betas);
  checkPairing(messages);
  checkLast(messages, model);
  checkBlocks(messages, profile);
  const breakpoints = readMarks(body, profile);
  const unmarkedTools = tools.map(withoutMark);
  const prompt = toPrompt(body, unmarkedTools);
  return {
    model,
    modelId: String(body['model']),
    system,
    tools: unmarkedTools,
    messages,
    mcpServers,
    breakpoints,
    prompt,
    inputTokens: countInput(prompt),
  };
};

const checkBlocks = (messages: readonly Message[], { blocks, name }: ServerProfile): void => {
  if (blocks === undefined) return;
  for (const [index, { content }] of messages.entries()) {
    const other = content.find(({ type }) => !blocks.has(type));
    if (other !== undefined) throw invalid(`messages.${index}.content: ${name} takes no ${other.type} blocks`);
  }
};

const readMarks = (body: Fields, { cache, name }: ServerProfile): readonly Breakpoint[] => {
  const found = readBreakpoints(body);
  if (cache === 'billed' || found.length === 0) return found;
  if (cache === 'refused') throw invalid(`cache_control: ${name} caches by itself and takes no marks`);
  return [];
};

const toPrompt = (body: Fields, tools: readonly Fields[]): Prompt => ({
  // readMessages has checked that this is a list of records with a role.
  messages: (body['messages'] as readonly { role: string; content: unknown }[]).map(({ role, content }) => ({
    role,
    content: unmarkedContent(content),
  })),
  ...(body['system'] === undefined || body['system'] === null ? {} : { system: unmarkedContent(body['system']) }),
  ...(body['tools'] === undefined || body['tools'] === null ? {} : { tools }),
});

const unmarkedContent = (content: unknown): unknown => {
  if (!Array.isArray(content)) return content;
  return content.map((item: unknown) => {
    if (!isRecord(item)) return item;
    const block = withoutMark(item);
    return block['type'] === 'tool_result' ? { ...block, content: unmarkedContent(block['content']) } : block;
  });
};

const withoutMark = ({ cache_control: _, ...rest }: Fields): Fields => rest;
