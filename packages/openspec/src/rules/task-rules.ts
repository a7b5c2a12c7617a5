import type { Finding } from '@cloutagent/contract';
import { remembered } from '../grammar/remembered.ts';
import { checkboxOf } from '../tasks.ts';

const PATH = 'tasks.md';
const LIST_ITEM = /^(\s*)(?:[-*+]|\d{1,9}[.)])\s+\S/u;
const FENCE = /^ {0,3}(`{3,}|~{3,})(.*)$/su;
const GROUP = /^ {0,3}##(?!#)(?:[ \t]+|[ \t]*$)/u;
const NUMBERED_GROUP = /^ {0,3}##[ \t]+(\d+)\.(?:[ \t]|$)/u;

/** Findings about `tasks.md`: a list without a single checkbox, numbers in the wrong group, numbers given twice. */
export const taskFindings = remembered((markdown): readonly Finding[] => {
  const lines = markdown.replaceAll('\r\n', '\n').split('\n');
  return [...missingCheckboxes(lines), ...numberFindings(lines)];
});

const warning = (code: string, line: number, message: string): Finding => ({
  level: 'WARNING',
  code,
  path: PATH,
  line,
  message,
});

const missingCheckboxes = (lines: readonly string[]): Finding[] => {
  if (lines.some((line) => checkboxOf(line) !== undefined)) return [];
  const line = firstListItem(lines);
  const message =
    'This change counts as 0 tasks: no line in its tracked task files is a checkbox, so "openspec list" and "openspec status" report no work and "openspec archive" has nothing to flag as incomplete. Write each task as "- [ ] 1.1 Description".';
  return line === undefined ? [] : [warning('TASKS_WITHOUT_CHECKBOX', line, message)];
};

/** 1-based line of the first list item that a reader sees: not in front matter, a fence, a comment or indented code. */
const firstListItem = (lines: readonly string[]): number | undefined => {
  let fence: string | undefined;
  let inComment = false;
  for (let index = afterFrontMatter(lines); index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    if (inComment) {
      inComment = !line.includes('-->');
      continue;
    }
    const [, run, rest] = FENCE.exec(line) ?? [];
    if (run !== undefined) {
      if (fence === undefined) fence = run;
      else if (run[0] === fence[0] && run.length >= fence.length && rest?.trim() === '') fence = undefined;
      continue;
    }
    if (fence !== undefined) continue;
    if (line.trimStart().startsWith('<!--')) {
      inComment = !line.includes('-->', line.indexOf('<!--') + 4);
      continue;
    }
    const indent = LIST_ITEM.exec(line)?.[1];
    if (indent !== undefined && !indent.includes('\t') && indent.length < 4) return index + 1;
  }
  return undefined;
};

/** A block that is never closed is no front matter but a line across the page. */
const afterFrontMatter = (lines: readonly string[]): number => {
  const isDashes = (line: string | undefined): boolean => line?.replace(/^\uFEFF/u, '').trimEnd() === '---';
  if (!isDashes(lines[0])) return 0;
  const close = lines.findIndex((line, index) => index > 0 && isDashes(line));
  return close < 0 ? 0 : close + 1;
};

/** Numbers mean something only below `## N.` headings; files without one are left alone. */
const numberFindings = (lines: readonly string[]): Finding[] => {
  const findings: Finding[] = [];
  const firstLine = new Map<string, number>();
  let group: string | undefined;
  lines.forEach((text, index) => {
    if (GROUP.test(text)) group = NUMBERED_GROUP.exec(text)?.[1];
    const id = group === undefined ? undefined : checkboxOf(text)?.id;
    if (group === undefined || id === undefined) return;
    const line = index + 1;
    const own = id.split('.')[0] ?? '';
    if (withoutZeros(own) !== withoutZeros(group)) {
      findings.push(
        warning(
          'TASK_IN_WRONG_GROUP',
          line,
          `Task "${id}" is under group ${group}, but its leading number points to group ${own}. Move it to group ${own} or renumber it.`,
        ),
      );
    }
    const first = firstLine.get(id);
    if (first === undefined) firstLine.set(id, line);
    else {
      findings.push(
        warning('TASK_ID_DUPLICATED', line, `Task ID "${id}" is duplicated; it was first declared on line ${first}.`),
      );
    }
  });
  return findings;
};

const withoutZeros = (digits: string): string => digits.replace(/^0+(?=\d)/u, '');
