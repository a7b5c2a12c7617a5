import type { ModelRequest } from './port.ts';
import type { ProviderProfile } from './profile.ts';

const EPHEMERAL = { type: 'ephemeral' } as const;

/**
 * A request in the API's form, without what the server does not take. Caching marks the end of the system prompt and the
 * growing end of the conversation.
 */
export const toParams = (request: ModelRequest, profile: ProviderProfile): Readonly<Record<string, unknown>> => {
  const { model, system, messages, tools, maxTokens, options = {} } = request;
  const { tools: fieldTools, ...fields } = options.fields ?? {};
  const allTools = Array.isArray(fieldTools) ? [...tools, ...(fieldTools as unknown[])] : tools;
  const caches = options.cache === true && profile.sendCacheControl;
  const config = {
    ...(options.effort !== undefined && profile.sendEffort ? { effort: options.effort } : {}),
    ...(options.outputSchema !== undefined && profile.sendOutputFormat
      ? { format: { type: 'json_schema', schema: options.outputSchema } }
      : {}),
  };
  return {
    ...fields,
    model,
    max_tokens: maxTokens,
    stream: true,
    ...(caches ? { cache_control: EPHEMERAL } : {}),
    ...(system === '' ? {} : { system: caches ? [{ type: 'text', text: system, cache_control: EPHEMERAL }] : system }),
    messages,
    ...(allTools.length === 0 ? {} : { tools: allTools }),
    ...(options.temperature !== undefined && profile.sendTemperature ? { temperature: options.temperature } : {}),
    ...(options.thinking !== undefined && profile.sendThinking ? { thinking: options.thinking } : {}),
    ...(options.stopSequences === undefined ? {} : { stop_sequences: options.stopSequences }),
    ...(Object.keys(config).length === 0 ? {} : { output_config: config }),
  };
};
