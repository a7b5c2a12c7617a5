import { posix } from 'node:path';
import { textOf, type Message } from './request.ts';

/** What a task asks of one file. */
export interface FileTarget {
  /** As it stands in the prompt, relative to the project folder. */
  readonly path: string;
  /** Texts that it must contain; none where it only has to exist. */
  readonly texts: readonly string[];
}

/** What the prompts of a run say: `Task 1.2: TITLE`, notes, `Done means:` or `These checks do not hold yet:` and bullets. */
export interface TaskPrompt {
  readonly id: string;
  readonly title: string;
  /** The task or its notes contain `(wrong first)`. */
  readonly wrongFirst: boolean;
  /** The latest words are about checks that failed. */
  readonly retry: boolean;
  readonly files: readonly FileTarget[];
  /** Commands among the checks; tools for files cannot make them pass. */
  readonly commands: number;
  /** The assistant turns and results since the latest words of the user. */
  readonly since: readonly Message[];
}

const TASK = /^Task (\S+): (.*)$/mu;
const FAILED = 'These checks do not hold yet:';
const DONE_MEANS = 'Done means:';

/** Value of the line `Project folder: /abs/path`. */
export const projectFolderOf = (system: string): string | undefined =>
  /^Project folder: (.+)$/mu.exec(system)?.[1]?.trim();

/** Reads the latest task of a conversation; undefined where there is none. */
export const readTaskPrompt = (messages: readonly Message[]): TaskPrompt | undefined => {
  const words = (message: Message): string =>
    textOf({ ...message, content: message.content.filter(({ type }) => type === 'text') });
  const isSaid = (message: Message): boolean => message.role === 'user' && words(message) !== '';
  const latest = messages.findLastIndex(isSaid);
  const asked = messages.slice(0, latest + 1).findLast((message) => isSaid(message) && TASK.test(words(message)));
  const said = messages[latest];
  if (asked === undefined || said === undefined) return undefined;
  const task = TASK.exec(words(asked));
  const retry = words(said).includes(FAILED);
  const checks = readChecks(words(said), retry ? FAILED : DONE_MEANS);
  return {
    id: task?.[1] ?? '',
    title: task?.[2] ?? '',
    wrongFirst: words(asked).includes('(wrong first)'),
    retry,
    ...checks,
    since: messages.slice(latest + 1),
  };
};

const readChecks = (text: string, heading: string): Pick<TaskPrompt, 'files' | 'commands'> => {
  // A line that is indented goes on with the reason above it, whatever it looks like.
  const lines = text.split('\n').map((line) => line.trimEnd());
  const start = lines.indexOf(heading);
  const bullets = start < 0 ? [] : lines.slice(start + 1).filter((line) => line.startsWith('- '));
  const files = new Map<string, readonly string[]>();
  for (const bullet of bullets) {
    const check = readFileCheck(bullet);
    if (check === undefined) continue;
    const known = files.get(check.path) ?? [];
    files.set(check.path, check.text === undefined || known.includes(check.text) ? known : [...known, check.text]);
  }
  return {
    files: [...files].map(([path, texts]) => ({ path, texts })),
    commands: bullets.filter((bullet) => bullet.startsWith('- command exits 0: ')).length,
  };
};

const readFileCheck = (bullet: string): { readonly path: string; readonly text?: string } | undefined => {
  // A reason may stand behind a check that failed: ` (…)`, `: …` or ` - …`.
  const exists = /^- file (.+?) exists(?:(?: \(|: | - ).*)?$/u.exec(bullet)?.[1];
  const contains = /^- file (.+?) contains ("(?:[^"\\]|\\.)*")(?:(?: \(|: | - ).*)?$/u.exec(bullet);
  const text = contains?.[2] === undefined ? undefined : parseText(contains[2]);
  if (contains?.[1] !== undefined && text !== undefined) return { path: posix.normalize(contains[1]), text };
  return exists === undefined ? undefined : { path: posix.normalize(exists) };
};

const parseText = (json: string): string | undefined => {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
};
