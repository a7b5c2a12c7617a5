import { invalid } from '../refusal.ts';
import { isRecord, type Block, type Message } from '../request.ts';
import { EFFORTS } from './params.ts';
import { optional, readList, readOneOf, readRecord, readString, refuseUnknown } from './read.ts';
import { checkDocumentSource, checkImageSource } from './source.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Members of the blocks whose shape is checked; kinds that are not here pass as they are. */
const MEMBERS: Readonly<Record<string, ReadonlySet<string>>> = {
  text: new Set(['type', 'text', 'cache_control', 'citations']),
  image: new Set(['type', 'source', 'cache_control']),
  document: new Set(['type', 'source', 'title', 'context', 'citations', 'cache_control']),
  search_result: new Set(['type', 'source', 'title', 'content', 'citations', 'cache_control']),
  thinking: new Set(['type', 'thinking', 'signature']),
  redacted_thinking: new Set(['type', 'data']),
  tool_use: new Set(['type', 'id', 'name', 'input', 'cache_control', 'caller', 'toolset_name']),
  tool_result: new Set(['type', 'tool_use_id', 'content', 'is_error', 'cache_control', 'toolset_name']),
};

const BY_ROLE: Readonly<Record<Message['role'] | 'tool_result', ReadonlySet<string>>> = {
  user: new Set(['text', 'image', 'document', 'search_result', 'tool_result', 'container_upload']),
  assistant: new Set([
    'text',
    'thinking',
    'redacted_thinking',
    'tool_use',
    'server_tool_use',
    'mcp_tool_use',
    'mcp_tool_listing',
    'container_upload',
    'compaction',
  ]),
  system: new Set(['text', 'tool_addition', 'tool_removal']),
  tool_result: new Set(['text', 'image', 'document', 'search_result', 'tool_reference']),
};

/** What a server tool answered stands in the assistant's own turn. */
const SERVER_RESULT = /^[a-z_]+_tool_result$/u;
const TOOL_ID = /^[a-zA-Z0-9_-]+$/u;

/** Content of a message, of the system prompt or of a tool result as blocks without marks. */
export const readContent = (value: unknown, path: string, role: keyof typeof BY_ROLE): readonly Block[] => {
  if (typeof value === 'string') {
    if (value !== '' && role !== 'tool_result') checkText(value, path, role);
    return value === '' ? [] : [{ type: 'text', text: value }];
  }
  return readList(value, path).map((item, index) => readBlock(item, `${path}.${index}`, role));
};

/** A tool may answer white space, such as a file of one line break; nothing at all is refused there too. */
const checkText = (text: string, path: string, role: keyof typeof BY_ROLE): void => {
  const where = path.startsWith('system') ? 'system' : 'messages';
  if (text === '') throw invalid(`${where}: text content blocks must be non-empty`);
  if (role !== 'tool_result' && text.trim() === '')
    throw invalid(`${where}: text content blocks must contain non-whitespace text`);
};

const readBlock = (item: unknown, path: string, role: keyof typeof BY_ROLE): Block => {
  const fields = readRecord(item, path);
  const type = readString(fields['type'], `${path}.type`);
  if (type === 'tool_use' && role === 'user')
    throw invalid(`${path}: \`tool_use\` blocks can only be in \`assistant\` messages`);
  if (type === 'tool_result' && role !== 'user')
    throw invalid(`${path}: \`tool_result\` blocks can only be in \`user\` messages`);
  if (!BY_ROLE[role].has(type) && !(role === 'assistant' && SERVER_RESULT.test(type))) {
    throw invalid(`${path}: Input tag '${type}' found using 'type' does not match any of the expected tags`);
  }
  const members = Object.hasOwn(MEMBERS, type) ? MEMBERS[type] : undefined;
  if (members !== undefined) refuseUnknown(fields, members, `${path}.${type}`);
  CHECKS[type]?.(fields, `${path}.${type}`, role);
  return withoutMarks(fields, type, path);
};

const CHECKS: Readonly<Record<string, (fields: Fields, path: string, role: keyof typeof BY_ROLE) => void>> = {
  text: (fields, path, role) => {
    const text = readString(fields['text'], `${path}.text`);
    if (text === '' && isRecord(fields['cache_control']))
      throw invalid(`${path}: cache_control cannot be set for empty text blocks`);
    checkText(text, path, role);
  },
  image: (fields, path) => checkImageSource(fields['source'], `${path}.source`),
  document: (fields, path) => checkDocumentSource(fields['source'], `${path}.source`),
  thinking: (fields, path) => {
    readString(fields['thinking'], `${path}.thinking`);
    readString(fields['signature'], `${path}.signature`);
  },
  tool_use: (fields, path) => {
    if (!TOOL_ID.test(readString(fields['id'], `${path}.id`)))
      throw invalid(`${path}.id: String should match pattern '^[a-zA-Z0-9_-]+$'`);
    readString(fields['name'], `${path}.name`);
    readRecord(fields['input'], `${path}.input`);
  },
  tool_result: (fields, path) => {
    readString(fields['tool_use_id'], `${path}.tool_use_id`);
    const failed = fields['is_error'];
    if (failed !== undefined && failed !== null && typeof failed !== 'boolean')
      throw invalid(`${path}.is_error: Input should be a valid boolean`);
    const content = fields['content'];
    const blocks =
      content === undefined || content === null ? [] : readContent(content, `${path}.content`, 'tool_result');
    if (failed === true && blocks.length === 0)
      throw invalid(`${path}: content cannot be empty if \`is_error\` is true`);
  },
};

/** The block without `cache_control` and null members, also inside of a tool result: marks move between turns. */
const withoutMarks = (fields: Fields, type: string, path: string): Block => {
  const kept = Object.entries(fields).filter(
    ([key, value]) => key !== 'cache_control' && value !== null && value !== undefined,
  );
  const block = Object.fromEntries(kept);
  if (type !== 'tool_result' || !Array.isArray(block['content'])) return { ...block, type };
  return { ...block, type, content: readContent(block['content'], `${path}.content`, 'tool_result') };
};

/** What a system message between the turns may carry, and the beta that lets it. */
const SYSTEM_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  clear_at: ['mid-conversation-system-clear-at-2026-08-21'],
  output_config: ['mid-conversation-output-config-2026-07-01', 'per-turn-control-2026-07-01'],
};

const TOOL_CHANGES = 'mid-conversation-tool-changes-2026-07-01';

const checkMembers = (fields: Fields, role: Message['role'], path: string, betas: ReadonlySet<string>): void => {
  const allowed = Object.entries(SYSTEM_MEMBERS).filter(
    ([, names]) => role === 'system' && names.some((name) => betas.has(name)),
  );
  refuseUnknown(fields, new Set(['role', 'content', ...allowed.map(([member]) => member)]), path);
  const changesTools = (part: unknown): boolean =>
    isRecord(part) && /^tool_(?:addition|removal)$/u.test(String(part['type']));
  if (Array.isArray(fields['content']) && fields['content'].some(changesTools) && !betas.has(TOOL_CHANGES))
    throw invalid(`${path}.content: blocks that change tools need the beta ${TOOL_CHANGES}`);
  optional(fields['clear_at'], (value) => readOneOf(value, `${path}.clear_at`, ['next_user_message', 'never']));
  const config = optional(fields['output_config'], (value) => readRecord(value, `${path}.output_config`));
  if (config === undefined) return;
  refuseUnknown(config, new Set(['effort']), `${path}.output_config`);
  optional(config['effort'], (value) => readOneOf(value, `${path}.output_config.effort`, EFFORTS));
};

/** Such a message may only set something, and say nothing. */
const saysNothing = (fields: Fields): boolean =>
  isRecord(fields['output_config']) && Object.values(fields['output_config']).some((value) => value !== null);

/** Messages with their content as blocks; refuses an empty list, a first message that is not the user's, empty content. */
export const readMessages = (value: unknown, betas: ReadonlySet<string>): readonly Message[] => {
  const list = readList(value, 'messages');
  if (list.length === 0) throw invalid('messages: at least one message is required');
  const messages = list.map((item, index): Message => {
    const path = `messages.${index}`;
    const fields = readRecord(item, path);
    // The three strings are checked on the same line; the reader gives back a plain string.
    const role = readOneOf(fields['role'], `${path}.role`, ['user', 'assistant', 'system']) as Message['role'];
    checkMembers(fields, role, path, betas);
    const mayBeEmpty = saysNothing(fields);
    const content = mayBeEmpty
      ? readContent(fields['content'] ?? [], `${path}.content`, role)
      : readContent(fields['content'], `${path}.content`, role);
    if (content.length === 0 && !mayBeEmpty) {
      throw invalid(
        `${path}: all messages must have non-empty content except for the optional final assistant message`,
      );
    }
    return { role, content };
  });
  if (messages[0]?.role !== 'user') throw invalid('messages: first message must use the "user" role');
  return messages;
};
