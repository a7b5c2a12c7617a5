import { blockText, isRecord, type Block, type Message } from './request.ts';

export const TOOLS = {
  write: 'mcp__filesystem__write_file',
  createDirectory: 'mcp__filesystem__create_directory',
  read: 'mcp__filesystem__read_text_file',
  list: 'mcp__filesystem__list_directory',
} as const;

/** One tool call of a conversation with its result. */
export interface FileCall {
  readonly tool: string;
  readonly path: string;
  /** What a write wrote. */
  readonly content: string;
  readonly ok: boolean;
  readonly text: string;
}

/** What the calls of a conversation say of the files; a path that nobody looked at is in neither map. */
export interface FileKnowledge {
  /** Names in a folder; undefined where the folder cannot be listed. */
  readonly folders: ReadonlyMap<string, ReadonlySet<string> | undefined>;
  /** Text of a file; undefined where it cannot be read. */
  readonly files: ReadonlyMap<string, string | undefined>;
}

/** The calls that have a result, in order. */
export const fileCalls = (messages: readonly Message[]): readonly FileCall[] => {
  const blocks = messages.flatMap(({ content }) => content);
  const results = new Map(
    blocks.filter(({ type }) => type === 'tool_result').map((block) => [block['tool_use_id'], block]),
  );
  return blocks.flatMap((block) => {
    const result = block.type === 'tool_use' ? results.get(block['id']) : undefined;
    return result === undefined ? [] : [toCall(block, result)];
  });
};

const toCall = (block: Block, result: Block): FileCall => {
  const input = isRecord(block['input']) ? block['input'] : {};
  const textMember = (key: string): string => (typeof input[key] === 'string' ? input[key] : '');
  return {
    tool: String(block['name']),
    path: textMember('path'),
    content: textMember('content'),
    ok: result['is_error'] !== true,
    text: blockText(result),
  };
};

export const learn = (calls: readonly FileCall[]): FileKnowledge => {
  const folders = new Map<string, ReadonlySet<string> | undefined>();
  const files = new Map<string, string | undefined>();
  for (const call of calls) {
    if (call.tool === TOOLS.list) folders.set(call.path, call.ok ? namesIn(call.text) : undefined);
    if (call.tool === TOOLS.read) files.set(call.path, call.ok ? fileText(call.text) : undefined);
    if (call.tool === TOOLS.write && call.ok) files.set(call.path, call.content);
  }
  return { folders, files };
};

/** The API refuses empty texts, so clients put words in the place of an empty file. */
const fileText = (text: string): string => (text === '(no output)' ? '' : text);

const namesIn = (listing: string): ReadonlySet<string> =>
  new Set(listing.split('\n').flatMap((line) => /^\[(?:FILE|DIR)\] (.+)$/u.exec(line.trim())?.[1] ?? []));
