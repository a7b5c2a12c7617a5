/** What the simulator must know of a model to refuse what the real one refuses. */
export interface ModelSpec {
  readonly id: string;
  /** Tokens of prompt that fit. */
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
  /** Shorter prefixes are silently not cached. */
  readonly minCacheTokens: number;
  /** Values of `thinking.type` that the model takes; `enabled` is the one with `budget_tokens`. */
  readonly thinking: readonly ThinkingType[];
  /** Whether `tool_choice` may be `any` or `tool`. */
  readonly forcedToolChoice: boolean;
  /** Whether the last message may be the assistant's. */
  readonly prefill: boolean;
  /** ISO date from which requests are refused. */
  readonly retires?: string;
  readonly deprecated?: true;
}

type ThinkingType = 'adaptive' | 'between_tools' | 'disabled' | 'enabled';

const million = { contextTokens: 1_000_000, maxOutputTokens: 128_000, prefill: false } as const;
const small = { contextTokens: 200_000, maxOutputTokens: 64_000, prefill: true } as const;
const free = ['adaptive', 'disabled'] as const;
const budgeted = ['enabled', 'disabled'] as const;

const model = (id: string, spec: Omit<ModelSpec, 'id'>): ModelSpec => ({ id, ...spec });
const preserved = { ...million, minCacheTokens: 512, thinking: ['adaptive'], forcedToolChoice: false } as const;

/** The models that are served; ids and limits as of 2026-11-20. */
export const MODELS: readonly ModelSpec[] = [
  model('claude-fable-5-2', preserved),
  model('claude-mythos-5-2', preserved),
  model('claude-fable-5-1', preserved),
  model('claude-fable-5', { ...preserved, forcedToolChoice: true }),
  model('claude-opus-5-5', preserved),
  model('claude-sonnet-5-5', { ...preserved, thinking: ['adaptive', 'between_tools'] }),
  model('claude-haiku-5-5', { ...preserved, thinking: free, forcedToolChoice: true }),
  model('claude-opus-5', { ...million, minCacheTokens: 512, thinking: free, forcedToolChoice: true }),
  model('claude-sonnet-5', { ...million, minCacheTokens: 512, thinking: free, forcedToolChoice: true }),
  model('claude-opus-4-8', { ...million, minCacheTokens: 1024, thinking: free, forcedToolChoice: true }),
  model('claude-opus-4-7', { ...million, minCacheTokens: 1024, thinking: free, forcedToolChoice: true }),
  model('claude-opus-4-6', {
    ...million,
    minCacheTokens: 4096,
    thinking: [...free, 'enabled'],
    forcedToolChoice: true,
  }),
  model('claude-sonnet-4-6', {
    ...million,
    minCacheTokens: 1024,
    thinking: [...free, 'enabled'],
    forcedToolChoice: true,
  }),
  model('claude-opus-4-5', { ...small, minCacheTokens: 4096, thinking: budgeted, forcedToolChoice: true }),
  model('claude-sonnet-4-5', {
    ...small,
    minCacheTokens: 1024,
    thinking: budgeted,
    forcedToolChoice: true,
    deprecated: true,
    retires: '2026-11-30',
  }),
  model('claude-haiku-4-5', { ...small, minCacheTokens: 4096, thinking: budgeted, forcedToolChoice: true }),
];

/** Dated ids of models that also have a short one. */
export const ALIASES: Readonly<Record<string, string>> = {
  'claude-opus-4-5-20251101': 'claude-opus-4-5',
  'claude-sonnet-4-5-20250929': 'claude-sonnet-4-5',
  'claude-haiku-4-5-20251001': 'claude-haiku-4-5',
};

/** Ids that were served once → the day on which they stopped. */
export const RETIRED: Readonly<Record<string, string>> = {
  'claude-opus-4-1-20250805': '2026-08-05',
  'claude-opus-4-20250514': '2026-06-15',
  'claude-opus-4-0': '2026-06-15',
  'claude-sonnet-4-20250514': '2026-06-15',
  'claude-3-haiku-20240307': '2026-04-20',
  'claude-3-7-sonnet-20250219': '2026-02-19',
  'claude-3-5-haiku-20241022': '2026-02-19',
  'claude-3-opus-20240229': '2026-01-05',
  'claude-3-5-sonnet-20241022': '2025-10-28',
};

const byId = new Map(MODELS.map((spec) => [spec.id, spec]));

/** A served model, the day on which it was retired, or neither. `nowMs` is milliseconds since 1970. */
export const findModel = (id: string, nowMs: number): { readonly model?: ModelSpec; readonly retiredOn?: string } => {
  if (Object.hasOwn(RETIRED, id)) return { retiredOn: RETIRED[id] ?? '' };
  const known = byId.get(Object.hasOwn(ALIASES, id) ? (ALIASES[id] ?? id) : id);
  if (known === undefined) return {};
  return known.retires !== undefined && nowMs >= Date.parse(known.retires)
    ? { retiredOn: known.retires }
    : { model: known };
};
