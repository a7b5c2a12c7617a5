import type { ContentBlock, Message, ModelRequest } from './port.ts';
import type { ProviderProfile } from './profile.ts';

/** A mark for five minutes; a request that brings its own may ask for an hour. */
const EPHEMERAL = { type: 'ephemeral' } as const;

interface Mark {
  readonly cache_control: unknown;
}

/** The server looks for what it keeps in so many blocks up to a mark, and no further back. */
const LOOK_BACK = 20;

/**
 * A request in the API's form, without what the server does not take. Caching marks the end of tools and system prompt and, if
 * asked to, the growing end of the conversation.
 */
export const toParams = (request: ModelRequest, profile: ProviderProfile): Readonly<Record<string, unknown>> => {
  const { model, system, messages, tools, maxTokens, options = {} } = request;
  const { tools: fieldTools, ...fields } = options.fields ?? {};
  const cache = profile.sendCacheControl ? request.cache : undefined;
  const mark: Mark = { cache_control: fields['cache_control'] ?? EPHEMERAL };
  // Tools come before the system prompt, so that a mark on it covers them.
  const ownTools = cache !== undefined && system === '' ? markLast(tools, mark) : tools;
  const allTools = Array.isArray(fieldTools) ? [...ownTools, ...(fieldTools as unknown[])] : ownTools;
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
    ...(cache === 'conversation' ? mark : {}),
    ...(system === '' ? {} : { system: cache === undefined ? system : [{ type: 'text', text: system, ...mark }] }),
    messages: cache === 'conversation' ? markBefore(messages, mark) : messages,
    ...(allTools.length === 0 ? {} : { tools: allTools }),
    ...(options.temperature !== undefined && profile.sendTemperature ? { temperature: options.temperature } : {}),
    ...(options.thinking !== undefined && profile.sendThinking ? { thinking: options.thinking } : {}),
    ...(options.stopSequences === undefined ? {} : { stop_sequences: options.stopSequences }),
    ...(Object.keys(config).length === 0 ? {} : { output_config: config }),
  };
};

const markLast = <T extends object>(items: readonly T[], mark: Mark): readonly T[] =>
  items.map((item, index) => (index === items.length - 1 ? { ...item, ...mark } : item));

const blocksOf = ({ content }: Message): readonly ContentBlock[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content;

/**
 * Where the last turn has more blocks than the server looks back over, as with many tool calls at once, the end of what the call
 * before it sent is marked too; otherwise the whole conversation would be written again.
 */
const markBefore = (messages: readonly Message[], mark: Mark): readonly Message[] => {
  const at = messages.findLastIndex(({ role }, index) => role === 'user' && index < messages.length - 1);
  const before = messages[at];
  if (before === undefined) return messages;
  const blocks = messages.slice(at + 1).reduce((sum, message) => sum + blocksOf(message).length, 0);
  if (blocks < LOOK_BACK) return messages;
  return messages.with(at, { ...before, content: markLast(blocksOf(before), mark) });
};
