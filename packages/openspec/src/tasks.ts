import type { Task } from '@cloutagent/contract';
import { parseCheck } from './check.ts';
import { toLines } from './grammar/markdown.ts';

/**
 * A list item with a checkbox that holds at most one character. A one-character link (`[A](url)`, `[1][ref]`) is none,
 * unless its box is blank: a line that could be open work is never dropped.
 */
const CHECKBOX = /^(\s*)(?:[-*+]|\d{1,9}[.)])\s*\[(?:\s{0,99}([^\]\s]?)\s{0,99}\](?![([])|\s{1,99}\])(.*)$/su;
const TASK_ID = /^(\d+(?:\.\d+)+[A-Za-z]*)(?=\s|$)/u;
const CHECK = /^(?:[-*+]|\d{1,9}[.)])\s+check:(.*)$/iu;

type Draft = { -readonly [K in keyof Task]: Task[K] };

/**
 * Reads `tasks.md`. Checkboxes count wherever they stand, in code fences too, as OpenSpec counts them; a check bullet
 * inside a fence is only an example. A number that appeared before gives no id again, so that ids are unique.
 */
export const parseTasks = (markdown: string): Task[] => {
  const { text, fenced } = toLines(markdown);
  const tasks: Draft[] = [];
  const ids = new Set<string>();
  let group: string | undefined;
  let open: { task: Draft; indent: number }[] = [];
  text.forEach((line, index) => {
    const isFenced = fenced[index] === true;
    const heading = isFenced ? undefined : /^ {0,3}##(?!#)\s+(\S.*)$/u.exec(line)?.[1];
    if (heading !== undefined) group = heading.trim();
    if (line.trim() === '') return;
    const indent = columnsOf(line);
    open = open.filter((entry) => entry.indent < indent);
    const box = CHECKBOX.exec(line);
    if (box === null) {
      const owner = open.at(-1)?.task;
      if (owner !== undefined) addBullet(owner, line.trim(), isFenced);
      return;
    }
    const task = toTask(box, index + 1, ids, tasks.length + 1, group);
    ids.add(task.id);
    tasks.push(task);
    open.push({ task, indent });
  });
  return tasks;
};

/** Counts over all files that hold tasks. */
export const countTasks = (documents: readonly string[]): { done: number; total: number } => {
  const boxes = documents.flatMap((markdown) =>
    toLines(markdown)
      .text.map((line) => CHECKBOX.exec(line))
      .filter((box) => box !== null),
  );
  return { done: boxes.filter(isDone).length, total: boxes.length };
};

/** Id and description of the checkbox in one line; undefined where there is none. */
export const checkboxOf = (line: string): { id: string | undefined } | undefined => {
  const box = CHECKBOX.exec(line);
  return box === null ? undefined : { id: TASK_ID.exec((box[3] ?? '').trim())?.[1] };
};

/** The line with its box set to `x`, everything else as it was. */
export const tickLine = (line: string): string => line.replace(/\[[^\]]*\]/u, '[x]');

const isDone = (box: RegExpExecArray): boolean => box[2]?.toLowerCase() === 'x';

const toTask = (box: RegExpExecArray, line: number, ids: Set<string>, ordinal: number, group?: string): Draft => {
  const description = (box[3] ?? '').trim();
  const number = TASK_ID.exec(description)?.[1];
  return {
    id: number === undefined || ids.has(number) ? `#${ordinal}` : number,
    title: number === undefined ? description : description.slice(number.length).trim(),
    done: isDone(box),
    line,
    ...(group === undefined ? {} : { group }),
    notes: [],
    checks: [],
    unreadableChecks: [],
  };
};

const addBullet = (task: Draft, text: string, isFenced: boolean): void => {
  const written = isFenced ? undefined : CHECK.exec(text)?.[1];
  if (written === undefined) {
    task.notes = [...task.notes, text];
    return;
  }
  const check = parseCheck(written);
  if (check === undefined) task.unreadableChecks = [...task.unreadableChecks, written.trim()];
  else task.checks = [...task.checks, check];
};

/** Width of the indentation; a tab reaches to the next multiple of four. */
const columnsOf = (line: string): number => {
  let columns = 0;
  for (const char of line) {
    if (char === '\t') columns += 4 - (columns % 4);
    else if (char === ' ') columns += 1;
    else break;
  }
  return columns;
};
