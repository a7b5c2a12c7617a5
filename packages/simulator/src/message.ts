import type { PromptCache } from './cache.ts';
import { compose } from './compose.ts';
import { toSignature, toToolId, type History } from './history.ts';
import type { ServerProfile } from './profile.ts';
import type { Block, MessagesRequest } from './request.ts';
import type { Speech, StopReason, UsageOverride } from './scenario.ts';
import type { Bindings } from './template.ts';
import { countOutput } from './tokens.ts';

/** Usage as the Messages API gives it. */
export interface ApiUsage {
  readonly input_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly cache_creation: { readonly ephemeral_5m_input_tokens: number; readonly ephemeral_1h_input_tokens: number };
  readonly output_tokens: number;
  readonly output_tokens_details: null;
  readonly server_tool_use: null;
  readonly service_tier: 'standard';
  readonly inference_geo: null;
  readonly speed: null;
}

/** Servers other than Anthropic's know nothing of caches and tiers. */
export type WireUsage = Pick<ApiUsage, 'input_tokens' | 'output_tokens'> & Partial<ApiUsage>;

/** An answer of `POST /v1/messages`. */
export interface ApiMessage {
  readonly id: string;
  readonly type: 'message';
  readonly role: 'assistant';
  readonly model: string;
  readonly content: readonly Block[];
  readonly container: null;
  readonly diagnostics: null;
  readonly stop_reason: StopReason;
  readonly stop_sequence: string | null;
  readonly stop_details: Readonly<Record<string, unknown>> | null;
  readonly usage: WireUsage;
}

export interface Reply {
  readonly message: ApiMessage;
  /** What is billed, whether or not the server says it. */
  readonly usage: ApiUsage;
  /** JSON of the last tool input as it is streamed, where `max_tokens` cut it. */
  readonly cutInput?: string;
}

/** Puts an answer together and accounts it: from here on it counts as given, whether or not it arrives. */
export const answerWith = (
  speech: Speech,
  bindings: Bindings,
  request: MessagesRequest,
  deps: {
    readonly cache: PromptCache;
    readonly history: History;
    readonly profile: ServerProfile;
    /** Blocks that come before what is said. */
    readonly before?: readonly Block[];
    readonly monotonicMs: number;
    readonly id: string;
  },
): Reply => {
  const said = compose(speech, bindings, request);
  const draft = { ...said, content: [...(deps.before ?? []), ...said.content] };
  const binding = deps.history.bind(request, draft.content);
  // What a client makes of half a JSON text is its own affair, so such a turn is not bound.
  const mark = draft.cutInput === undefined ? binding : `cut${binding}`;
  const content = draft.content.map((block, index) => identify(block, mark, index));
  if (!content.some((block) => 'id' in block)) deps.history.remember(request, content, binding);
  const usage = usageOf(request, content, draft.cutInput, speech.usage, deps);
  const { input_tokens, output_tokens } = usage;
  const message: ApiMessage = {
    id: deps.id,
    type: 'message',
    role: 'assistant',
    model: request.modelId,
    content,
    container: null,
    diagnostics: null,
    stop_reason: draft.stopReason,
    stop_sequence: draft.stopSequence,
    stop_details: draft.stopReason === 'refusal' ? { type: 'refusal', category: null, explanation: null } : null,
    usage: deps.profile.cache === 'billed' ? usage : { input_tokens, output_tokens },
  };
  return { message, usage, ...(draft.cutInput === undefined ? {} : { cutInput: draft.cutInput }) };
};

const identify = (block: Block, binding: string, index: number): Block => {
  switch (block.type) {
    case 'tool_use':
      return { type: block.type, id: toToolId('toolu', binding, index), ...rest(block) };
    case 'server_tool_use':
      return { type: block.type, id: toToolId('srvtoolu', binding, index), ...rest(block) };
    case 'thinking':
      return { ...block, signature: toSignature(binding, String(block['thinking'])) };
    default:
      return block;
  }
};

const rest = ({ type: _, ...members }: Block): Readonly<Record<string, unknown>> => members;

const usageOf = (
  request: MessagesRequest,
  content: readonly Block[],
  cutInput: string | undefined,
  override: UsageOverride = {},
  { cache, monotonicMs }: { readonly cache: PromptCache; readonly monotonicMs: number },
): ApiUsage => {
  const split = cache.account(request, monotonicMs);
  // max_tokens 0 warms the cache and says nothing; a cut input fills max_tokens to the last byte.
  const said = cutInput === undefined ? countOutput(content) : request.maxTokens;
  const written = override.cache_creation_input_tokens;
  return {
    input_tokens: override.input_tokens ?? split.input,
    cache_creation_input_tokens: written ?? split.write5m + split.write1h,
    cache_read_input_tokens: override.cache_read_input_tokens ?? split.read,
    cache_creation: {
      ephemeral_5m_input_tokens: written ?? split.write5m,
      ephemeral_1h_input_tokens: written === undefined ? split.write1h : 0,
    },
    output_tokens: override.output_tokens ?? Math.min(said, request.maxTokens),
    output_tokens_details: null,
    server_tool_use: null,
    service_tier: 'standard',
    inference_geo: null,
    speed: null,
  };
};
