import type { ModelSpec } from './models.ts';

/** A server that speaks the Messages API, as far as its documentation says what it takes. */
export interface ServerProfile {
  readonly name: ProfileName;
  /** `key`: x-api-key or Bearer; `bearer`: a Bearer token, and no other key beside it; `none`: any or nothing. */
  readonly auth: 'key' | 'bearer' | 'none';
  /** The header `anthropic-version` must be there and known; elsewhere it may be absent, but not older than 2023-06-01. */
  readonly strictVersion: boolean;
  /** Members of a request that it takes; undefined: all of the API, by its version and betas. */
  readonly members?: ReadonlySet<string>;
  /** What it does with `cache_control`: bills it, takes it and forgets it, refuses it. */
  readonly cache: 'billed' | 'dropped' | 'refused';
  /** Only its own models, with their limits; elsewhere any name is a model. */
  readonly ownModels: boolean;
  /** Answers are bound to what they answered. */
  readonly bindsHistory: boolean;
  readonly countTokens: boolean;
  /** `GET /v1/models` in the form of this API, and batches. */
  readonly catalogue: boolean;
  /** Kinds of blocks in messages that it takes; undefined: all. */
  readonly blocks?: ReadonlySet<string>;
}

export type ProfileName = 'anthropic' | 'ollama' | 'lmstudio' | 'llama.cpp' | 'vllm' | 'litellm' | 'openrouter';

const CORE = ['model', 'messages', 'max_tokens', 'system', 'stream', 'stop_sequences', 'tools'];
const SAMPLING = ['temperature', 'top_p', 'top_k'];
const BLOCKS = ['text', 'image', 'thinking', 'redacted_thinking', 'tool_use', 'tool_result'];

const subset = (members: readonly string[], blocks: readonly string[] = BLOCKS) =>
  ({
    auth: 'none',
    strictVersion: false,
    members: new Set([...CORE, ...SAMPLING, ...members]),
    blocks: new Set(blocks),
    cache: 'refused',
    ownModels: false,
    bindsHistory: false,
    countTokens: false,
    catalogue: false,
  }) as const;

/**
 * What is outside of a server's subset is refused here, where most of them ignore it without a word: a client that sends
 * it believes in something that does not happen. Sources: the servers' own pages on this API, November 2026.
 */
export const PROFILES: Readonly<Record<ProfileName, ServerProfile>> = {
  anthropic: {
    name: 'anthropic',
    auth: 'key',
    strictVersion: true,
    cache: 'billed',
    ownModels: true,
    bindsHistory: true,
    countTokens: true,
    catalogue: true,
  },
  ollama: { name: 'ollama', ...subset(['thinking']) },
  lmstudio: { name: 'lmstudio', ...subset(['tool_choice']) },
  'llama.cpp': { name: 'llama.cpp', ...subset(['tool_choice']), countTokens: true },
  vllm: { name: 'vllm', ...subset(['tool_choice', 'metadata']), countTokens: true },
  litellm: {
    name: 'litellm',
    ...subset(['thinking', 'tool_choice', 'metadata', 'cache_control', 'output_config'], [...BLOCKS, 'document']),
    auth: 'bearer',
    cache: 'dropped',
    countTokens: true,
  },
  openrouter: {
    name: 'openrouter',
    ...subset(['thinking', 'tool_choice', 'metadata', 'cache_control'], [...BLOCKS, 'document']),
    auth: 'bearer',
    cache: 'billed',
  },
};

export const PROFILE_NAMES: readonly string[] = Object.keys(PROFILES);

/** A model of a server that serves whatever its user has loaded. */
export const localModel = (id: string): ModelSpec => ({
  id,
  contextTokens: 200_000,
  maxOutputTokens: 128_000,
  minCacheTokens: 1024,
  thinking: ['adaptive', 'enabled', 'disabled'],
  forcedToolChoice: true,
  prefill: true,
});
