import { posix } from 'node:path';
import { fileCalls, learn, TOOLS, type FileCall, type FileKnowledge } from './file-knowledge.ts';
import { textOf, type MessagesRequest } from './request.ts';
import type { Speech, ToolCall } from './scenario.ts';
import { projectFolderOf, readTaskPrompt, type FileTarget, type TaskPrompt } from './task-prompt.ts';

/** Larger files are left alone: a tool's answer may have been cut, and writing it back would lose the rest. */
const LARGEST_FILE = 64 * 1024;
/** A write that fails is repeated once. */
const MOST_WRITES = 2;

/**
 * The default behaviour: look at the project folder, write what the file checks ask for, say so. A file that exists is
 * read first and only added to. Everything is worked out from the conversation, so it goes on after any restart.
 */
export const fileTasks = (request: MessagesRequest): Speech => {
  const prompt = readTaskPrompt(request.messages);
  if (prompt === undefined)
    return say(
      'this is the CloutAgent simulator, not a model. Give it a task with file checks, or a scenario of your own.',
    );
  if (prompt.files.length === 0) return say(closing(prompt, []));
  const offered = new Set(request.tools.map((tool) => tool['name']));
  if (!offered.has(TOOLS.write)) return say(`I cannot do task ${prompt.id} without the tool ${TOOLS.write}.`);

  const root = projectFolderOf(textOf({ role: 'system', content: request.system })) ?? '.';
  const known = learn(fileCalls(request.messages));
  const recent = fileCalls(prompt.since);
  if (!prompt.retry && recent.length === 0 && offered.has(TOOLS.list)) {
    return use('I look at the project folder first.', [list(root), ...makeFolders(prompt.files, root)]);
  }
  const targets = prompt.files.map((target) => ({
    ...target,
    file: posix.join(root, target.path),
    state: stateOf(target, root, known),
  }));
  const questions = offered.has(TOOLS.list) ? targets.flatMap(({ state }) => ('ask' in state ? [state.ask] : [])) : [];
  if (questions.length > 0) return use('I look at what is there already.', unique(questions));

  const writes = targets.flatMap(({ state, ...target }) =>
    write(prompt, target, 'text' in state ? state.text : undefined, known, recent),
  );
  if (writes.length === 0) return say(closing(prompt, recent));
  const folders = prompt.retry || recent.some(({ ok }) => !ok) ? makeFolders(prompt.files, root) : [];
  return use(`I write ${writes.length === 1 ? 'one file' : `${writes.length} files`}.`, [...folders, ...writes]);
};

/** Simulated text always says that it is. */
const say = (text: string): Speech => ({ text: `Simulated: ${text}` });
const use = (text: string, toolCalls: readonly ToolCall[]): Speech => ({ ...say(text), toolCalls });

const list = (path: string): ToolCall => ({ name: TOOLS.list, input: { path } });

/** In the turn before the writes where possible: a client may run the calls of one turn at the same time. */
const makeFolders = (files: readonly FileTarget[], root: string): readonly ToolCall[] => {
  const folders = new Set(files.map(({ path }) => posix.dirname(path)).filter((folder) => folder !== '.'));
  return [...folders].map((folder) => ({ name: TOOLS.createDirectory, input: { path: posix.join(root, folder) } }));
};

const unique = (calls: readonly ToolCall[]): readonly ToolCall[] => [
  ...new Map(calls.map((call) => [JSON.stringify([call.name, call.input]), call])).values(),
];

/** The file's text (undefined: it is not there, null: leave it alone), or the call that finds out. */
type FileState = { readonly text: string | undefined | null } | { readonly ask: ToolCall };

const stateOf = ({ path }: FileTarget, root: string, known: FileKnowledge): FileState => {
  const file = posix.join(root, path);
  if (known.files.has(file)) {
    const text = known.files.get(file);
    return { text: text === undefined || text.length > LARGEST_FILE ? null : text };
  }
  const [top = ''] = path.split('/');
  if (known.folders.get(root)?.has(top) === false) return { text: undefined };
  const folder = posix.dirname(file);
  const names = known.folders.get(folder);
  if (names !== undefined)
    return names.has(posix.basename(file)) ? { ask: { name: TOOLS.read, input: { path: file } } } : { text: undefined };
  return known.folders.has(folder) ? { text: undefined } : { ask: list(folder) };
};

const write = (
  prompt: TaskPrompt,
  target: FileTarget & { readonly file: string },
  text: string | undefined | null,
  known: FileKnowledge,
  recent: readonly FileCall[],
): readonly ToolCall[] => {
  if (text === null) return [];
  const { file, content } =
    prompt.wrongFirst && !prompt.retry ? wrongly(prompt, target, text) : rightly(prompt, target, text);
  const attempts = recent.filter((call) => call.tool === TOOLS.write && call.path === file);
  const isThere = known.files.get(file) === content;
  // A check that failed is about the file as it is now, whatever was read or written before.
  const done = prompt.retry ? attempts.some(({ ok }) => ok) : isThere;
  return done || attempts.length >= MOST_WRITES ? [] : [{ name: TOOLS.write, input: { path: file, content } }];
};

/** Only the texts that are asked for, so that a file which is also run still runs. */
const rightly = (
  prompt: TaskPrompt,
  { file, texts }: FileTarget & { readonly file: string },
  text: string | undefined,
) => {
  const missing = texts.filter((wanted) => text?.includes(wanted) !== true);
  if (text === undefined) return { file, content: missing.length > 0 ? `${missing.join('\n')}\n` : sign(prompt) };
  const gap = text === '' || text.endsWith('\n') ? '' : '\n';
  return { file, content: missing.length > 0 ? `${text}${gap}${missing.join('\n')}\n` : text };
};

/** A file without the texts, or beside the place where it should be; one that exists stays as it is. */
const wrongly = (
  prompt: TaskPrompt,
  { file, texts }: FileTarget & { readonly file: string },
  text: string | undefined,
) => {
  if (text !== undefined) return { file, content: text };
  return texts.length > 0 ? { file, content: '' } : { file: `${file}.draft`, content: sign(prompt) };
};

const sign = ({ id, title }: TaskPrompt): string => `Written by the CloutAgent simulator for task ${id}: ${title}\n`;

const closing = (prompt: TaskPrompt, recent: readonly FileCall[]): string => {
  const written = [
    ...new Set(recent.filter((call) => call.tool === TOOLS.write && call.ok).map(({ path }) => posix.basename(path))),
  ];
  const failed = [
    ...new Set(recent.filter((call) => call.tool === TOOLS.write && !call.ok).map(({ path }) => posix.basename(path))),
  ];
  const open = failed.filter((name) => !written.includes(name));
  if (open.length > 0) return `task ${prompt.id} is not finished; I could not write ${open.join(', ')}.`;
  if (written.length > 0) return `task ${prompt.id} is finished; I wrote ${written.join(', ')}.`;
  return `I call task ${prompt.id} finished; there was no file to write.`;
};
