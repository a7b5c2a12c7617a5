import { toIso } from '@cloutagent/kit';
import { ALIASES, MODELS, RETIRED, type ModelSpec } from './models.ts';

type Lifecycle = 'active' | 'deprecated' | 'retired';

/** A model as `GET /v1/models` lists it. */
export interface ModelInfo {
  readonly id: string;
  readonly lifecycle: Lifecycle;
  readonly [member: string]: unknown;
}

/** All models, served and retired, newest first; only those in a state of `lifecycle` where it is not empty. */
export const listModels = (nowMs: number, lifecycle: readonly string[] = []): readonly ModelInfo[] =>
  [
    ...MODELS.map((model) => toInfo(model, nowMs)),
    ...Object.entries(RETIRED).map(([id, date]) => toRetired(id, date)),
  ].filter((model) => lifecycle.length === 0 || lifecycle.includes(model.lifecycle));

/** A model by its id or its dated one. */
export const findModelInfo = (id: string, nowMs: number): ModelInfo | undefined =>
  listModels(nowMs).find((model) => model.id === (Object.hasOwn(ALIASES, id) ? ALIASES[id] : id));

const supported = (is: boolean) => ({ supported: is });

const toInfo = (model: ModelSpec, nowMs: number): ModelInfo => ({
  ...base(model.id),
  lifecycle: stateOf(model, nowMs),
  retires_at: model.retires === undefined ? null : toIso(Date.parse(model.retires)),
  max_input_tokens: model.contextTokens,
  max_tokens: model.maxOutputTokens,
  capabilities: {
    batch: supported(true),
    citations: supported(true),
    code_execution: supported(false),
    context_management: {
      supported: false,
      clear_thinking_20251015: null,
      clear_tool_uses_20250919: null,
      compact_20260112: null,
    },
    effort: {
      supported: !model.prefill,
      low: supported(!model.prefill),
      medium: supported(!model.prefill),
      high: supported(!model.prefill),
      xhigh: supported(!model.prefill),
      max: supported(!model.prefill),
    },
    image_input: supported(true),
    pdf_input: supported(true),
    server_tools: { supported: false, web_search: supported(false), code_execution: supported(false) },
    structured_outputs: supported(true),
    thinking: {
      supported: true,
      types: Object.fromEntries(
        (['adaptive', 'between_tools', 'disabled', 'enabled'] as const).map((type) => [
          type,
          supported(model.thinking.includes(type)),
        ]),
      ),
    },
  },
});

const toRetired = (id: string, date: string): ModelInfo => ({
  ...base(id),
  lifecycle: 'retired',
  retires_at: toIso(Date.parse(date)),
  max_input_tokens: null,
  max_tokens: null,
  capabilities: null,
});

const base = (id: string) => ({
  type: 'model',
  id,
  display_name: `${id} (simulated)`,
  created_at: toIso(0),
  deprecated_at: null,
  line: /-(haiku|sonnet|opus|fable|mythos)/u.exec(id)?.[1] ?? null,
});

const stateOf = (model: ModelSpec, nowMs: number): Lifecycle => {
  if (model.retires !== undefined && nowMs >= Date.parse(model.retires)) return 'retired';
  return model.deprecated === true ? 'deprecated' : 'active';
};
