import { blockText, isRecord, type Block, type Message, type MessagesRequest } from './request.ts';
import type { Speech, ToolCall } from './scenario.ts';

/** A tool of Task MCP by any wire name: `change_open`, `mcp__taskmcp__change_open`, and `change.open` on a connector. */
const TOOL = /(?:^|__)(change[._]open|change[._]archive|changes[._]active)$/u;
type Action = 'change_open' | 'change_archive' | 'changes_active';

const SLUG = '[a-z0-9](?:[a-z0-9-]{1,62})[a-z0-9]';
const NOBODY =
  'this is the CloutAgent simulator, not a model. Give it a task with file checks, or a scenario of your own.';

/**
 * What a person asks of changes in plain words, as calls of the Task MCP tools that are offered: create, archive, list.
 * Anything else gets a plain answer. Worked out from the conversation alone.
 */
export const changeRequests = (request: MessagesRequest): Speech => {
  const asked = request.messages.findLastIndex((message) => wordsOf(message) !== '');
  const words = wordsOf(request.messages[asked]);
  const results = resultsSince(request.messages.slice(asked + 1));
  if (results.length > 0) return say(results.map(report).join('\n'));
  const wish = readWish(words, request);
  if (wish !== undefined) return { toolCalls: [wish] };
  const call = readCall(words);
  const tool = call === undefined ? undefined : request.tools.map(nameOf).find((name) => actionOf(name) === call.name);
  if (call === undefined || tool === undefined) return say(NOBODY);
  return { toolCalls: [{ name: tool, input: call.input }] };
};

/** Simulated text always says that it is. */
const say = (text: string): Speech => ({ text: `Simulated: ${text}` });

const nameOf = (tool: Readonly<Record<string, unknown>>): string =>
  typeof tool['name'] === 'string' ? tool['name'] : '';
const actionOf = (name: string): string | undefined => TOOL.exec(name)?.[1]?.replace('.', '_');

/** Clients put reminders of their own before the words of the person, in blocks of their own. */
const wordsOf = (message: Message | undefined): string =>
  message?.role === 'user' ? blockText(message.content.findLast(({ type }) => type === 'text') ?? { type: '' }) : '';

/** `Call the tool NAME with this input: {…}`, for any tool that is offered. */
const readWish = (words: string, { tools }: MessagesRequest): ToolCall | undefined => {
  const [, name = '', json = ''] = /\bcall the tool (\S+)\b.*? with this input: (\{.*\})/isu.exec(words) ?? [];
  if (!tools.some((tool) => nameOf(tool) === name)) return undefined;
  try {
    const input: unknown = JSON.parse(json);
    return isRecord(input) ? { name, input } : undefined;
  } catch {
    return undefined;
  }
};

const readCall = (words: string): (ToolCall & { readonly name: Action }) | undefined => {
  const named = new RegExp(`["'“\`](${SLUG})["'”\`]`, 'u').exec(words)?.[1];
  if (/\barchive\b/iu.test(words)) {
    const slug = named ?? new RegExp(`\\b(${SLUG.replace('*', '+')}-${SLUG})\\b`, 'u').exec(words)?.[1];
    return slug === undefined ? undefined : { name: 'change_archive', input: { slug } };
  }
  if (/\b(?:create|open|start|add|new)\b.*\bchange\b/isu.test(words)) {
    const title = titleOf(words);
    const template = /\b(feature|bugfix|chore)\b/iu.exec(words)?.[1]?.toLowerCase();
    const slug = named ?? toSlug(title);
    return { name: 'change_open', input: { title, slug, ...(template === undefined ? {} : { template }) } };
  }
  return /\bchanges\b/iu.test(words) ? { name: 'changes_active', input: {} } : undefined;
};

/** What stands behind `for` or `to`, up to where the slug and the template are named. */
const titleOf = (words: string): string => {
  const about = /\bchange\b[^.\n]*?\b(?:for|to|called|titled|about)\s+(.+)/isu.exec(words)?.[1] ?? words;
  const [title = ''] = about.split(
    /\s+(?:with|using|and)\s+(?:the\s+)?(?:slug|template|feature|bugfix|chore)\b|[.\n]/iu,
  );
  const bare = title
    .replace(/^(?:implementing|adding)\s+/iu, '')
    .trim()
    .slice(0, 200);
  return bare === '' ? 'A change' : `${bare[0]?.toUpperCase() ?? ''}${bare.slice(1)}`;
};

const toSlug = (title: string): string => {
  const slug = title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/gu, '-')
    .replaceAll(/^-+|-+$/gu, '')
    .slice(0, 60);
  return new RegExp(`^${SLUG}$`, 'u').test(slug) ? slug.replace(/-+$/u, '') : 'a-change';
};

interface Result {
  readonly action: string | undefined;
  readonly input: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
  readonly text: string;
}

/** Calls that were answered, by the client or on a connector. */
const resultsSince = (messages: readonly Message[]): readonly Result[] => {
  const blocks = messages.flatMap(({ content }) => content);
  const answers = new Map(
    blocks.filter(({ type }) => /^(?:mcp_)?tool_result$/u.test(type)).map((block) => [block['tool_use_id'], block]),
  );
  return blocks.flatMap((block) => {
    const answer = /^(?:mcp_)?tool_use$/u.test(block.type) ? answers.get(block['id']) : undefined;
    return answer === undefined ? [] : [toResult(actionOf(nameOf(block)), block, answer)];
  });
};

const toResult = (action: string | undefined, block: Block, answer: Block): Result => ({
  action,
  input: isRecord(block['input']) ? block['input'] : {},
  failed: answer['is_error'] === true,
  text: blockText({ ...answer, type: 'tool_result' }),
});

/** As much of an answer as one reads. */
const MOST_TEXT = 300;

const report = ({ action, input, failed, text }: Result): string => {
  const told = text.slice(0, MOST_TEXT);
  if (failed) return `the tool refused: ${told}`;
  if (action === 'change_open') return `the change ${String(input['slug'])} is open.`;
  return action === 'change_archive'
    ? `the change ${String(input['slug'])} is archived.`
    : `the tool answered: ${told}`;
};
