import type { ModelSpec } from '../models.ts';
import { invalid } from '../refusal.ts';
import type { Block, Message } from '../request.ts';

const idsOf = (message: Message | undefined, type: 'tool_use' | 'tool_result'): readonly string[] =>
  (message?.content ?? [])
    .filter((block) => block.type === type)
    .map((block) => String(block[type === 'tool_use' ? 'id' : 'tool_use_id']));

/** Every tool call is answered once, in the next message, before any other content of it; nothing else is answered. */
export const checkPairing = (messages: readonly Message[]): void => {
  const seen = new Set<string>();
  for (const [index, message] of messages.entries()) {
    checkResults(messages, message, index);
    if (message.role !== 'assistant') continue;
    const calls = idsOf(message, 'tool_use');
    for (const id of calls) {
      if (seen.has(id)) throw invalid(`messages.${index}: \`tool_use\` ids must be unique`);
      seen.add(id);
    }
    const next = messages[index + 1];
    const results = new Set(next?.role === 'user' ? idsOf(next, 'tool_result') : []);
    const open = calls.filter((id) => !results.has(id));
    if (open.length > 0) {
      throw invalid(
        `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(', ')}. ` +
          'Each `tool_use` block must have a corresponding `tool_result` block in the next message.',
      );
    }
  }
};

const checkResults = (messages: readonly Message[], message: Message, index: number): void => {
  const results = idsOf(message, 'tool_result');
  const before = messages[index - 1];
  const calls = new Set(before?.role === 'assistant' ? idsOf(before, 'tool_use') : []);
  const stray = results.find((id) => !calls.has(id));
  if (stray !== undefined) {
    throw invalid(
      `messages.${index}.content.${results.indexOf(stray)}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray}. ` +
        'Each `tool_result` block must have a corresponding `tool_use` block in the previous message.',
    );
  }
  if (new Set(results).size < results.length) {
    throw invalid(
      `messages.${index}: each tool_use must have a single result. Found multiple \`tool_result\` blocks with the same id`,
    );
  }
  const isResult = (block: Block): boolean => block.type === 'tool_result';
  const firstOther = message.content.findIndex((block) => !isResult(block));
  if (firstOther >= 0 && message.content.slice(firstOther).some(isResult)) {
    throw invalid(`messages.${index}: \`tool_result\` blocks must come first in the content, any text after them`);
  }
};

/** An assistant turn at the end is a prefill, unless a server tool of it is still at work (`pause_turn`). */
export const checkLast = (messages: readonly Message[], model: ModelSpec): void => {
  const last = messages.at(-1);
  if (last?.role !== 'assistant' || model.prefill || isPaused(last)) return;
  throw invalid(
    `This model does not support assistant message prefill. The conversation must end with a user message. (${model.id})`,
  );
};

const isPaused = (message: Message): boolean => {
  const answered = new Set(message.content.map((block) => block['tool_use_id']));
  return message.content.some((block) => block.type === 'server_tool_use' && !answered.has(block['id']));
};
