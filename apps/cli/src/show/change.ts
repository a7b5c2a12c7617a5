import type { ArchiveResult, ChangeDetail, ChangeSummary, Check, Page, Validation } from '@cloutagent/contract';
import { oneLine, plain, type Style } from '../output.ts';
import { showOverlap } from './overlap.ts';
import { table } from './table.ts';

export const showChanges = (page: Page<ChangeSummary>, style: Style): string => {
  if (page.items.length === 0)
    return [
      'No changes. Open one: clout change open SLUG --title "What it is for"',
      ...showWarnings(page.warnings ?? [], style),
    ].join('\n');
  const rows = page.items.map((change) => [
    change.slug,
    `${change.tasks.done}/${change.tasks.total}`,
    change.overlapsWith === undefined ? change.status : `${change.status}, overlaps`,
    change.owner ?? '',
    change.updatedAt.slice(0, 16).replace('T', ' '),
    oneLine(change.title, 60),
  ]);
  const columns = [
    { title: 'CHANGE', paint: style.bold },
    { title: 'TASKS', align: 'right' as const },
    { title: 'STATUS' },
    { title: 'OWNER' },
    { title: 'UPDATED (UTC)' },
    { title: 'TITLE' },
  ];
  const more =
    page.nextPageToken === null
      ? ''
      : `\n${page.items.length} of ${page.total}; next: --page-token ${page.nextPageToken}`;
  const warnings = [
    ...page.items.flatMap((change) => (change.warnings ?? []).map((warning) => `${plain(change.slug)}: ${warning}`)),
    ...(page.warnings ?? []),
  ];
  return [table(columns, rows, style.dim) + more, ...showWarnings(warnings, style)].join('\n');
};

const showWarnings = (warnings: readonly string[], style: Style): string[] =>
  warnings.map((warning) => style.yellow(`Warning: ${oneLine(warning)}`));

export const showCheck = (check: Check): string => {
  if (check.kind === 'run') return `run ${check.command}`;
  return check.kind === 'file-exists'
    ? `file ${check.path} exists`
    : `file ${check.path} contains ${JSON.stringify(check.text)}`;
};

export const showChange = (change: ChangeDetail, style: Style): string => {
  const lines = [
    `${style.bold(plain(change.slug))}  ${oneLine(change.title)}`,
    `${change.status}, ${change.tasks.done} of ${change.tasks.total} tasks done${change.owner === undefined ? '' : `, held by ${oneLine(change.owner)}`}`,
    style.dim(plain(change.paths.root)),
    ...showWarnings(change.warnings ?? [], style),
  ];
  let group: string | undefined;
  for (const task of change.taskList) {
    if (task.group !== group) {
      group = task.group;
      lines.push('', style.bold(oneLine(group ?? '')));
    }
    lines.push(`${task.done ? style.green('[x]') : '[ ]'} ${oneLine(task.id)} ${oneLine(task.title)}`);
    for (const check of task.checks) lines.push(style.dim(`      check: ${oneLine(showCheck(check))}`));
    for (const text of task.unreadableChecks) lines.push(style.yellow(`      cannot be read: ${oneLine(text)}`));
  }
  if (change.deltas.length > 0)
    lines.push(
      '',
      'Specifications it changes:',
      ...change.deltas.map((delta) => `  ${oneLine(delta.capability)}  ${style.dim(plain(delta.path))}`),
    );
  if (change.overlaps.length > 0)
    lines.push(
      '',
      'Named by other open changes too:',
      ...change.overlaps.map((overlap) => showOverlap(overlap, style)),
    );
  return lines.join('\n');
};

export const showValidation = (validation: Validation, style: Style): string => {
  const verdict = validation.valid ? style.green('valid') : style.red('not valid');
  const issues = validation.issues.map((issue) => {
    const level =
      issue.level === 'ERROR'
        ? style.red(issue.level)
        : issue.level === 'WARNING'
          ? style.yellow(issue.level)
          : style.dim(issue.level);
    return `  ${level} ${plain(issue.path)}${issue.line === undefined ? '' : `:${issue.line}`} ${oneLine(issue.message)} ${style.dim(issue.code)}`;
  });
  return [`${plain(validation.slug)}: ${verdict}`, ...issues].join('\n');
};

export const showArchive = (result: ArchiveResult, style: Style): string => {
  const { added, modified, removed, renamed } = result.totals;
  return [
    `${style.green('Archived')} ${plain(result.slug)} as ${plain(result.path)}`,
    ...result.specs.map((spec) => `  ${plain(spec.path)}${spec.created ? ' (new)' : spec.retired ? ' (deleted)' : ''}`),
    `  ${added} added, ${modified} modified, ${removed} removed, ${renamed} renamed`,
    `Receipt: ${plain(result.receiptPath)}`,
    ...showWarnings(result.warnings, style),
    ...(result.overlaps.length === 0 ? [] : ['These open changes started from the text before this archive:']),
    ...result.overlaps.map((overlap) => showOverlap(overlap, style)),
  ].join('\n');
};
