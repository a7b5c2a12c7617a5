import type { WorkflowDiff, WorkflowFinding, WorkflowVersion } from '@cloutagent/contract';
import { oneLine, plain, type Style } from '../output.ts';
import { table } from './table.ts';

/** Findings as compilers write them: `file:line: severity CODE node: message`, each with its hint below. */
export const showFindings = (
  file: string,
  findings: readonly (WorkflowFinding & { readonly line: number | null })[],
  style: Style,
): string => {
  const lines = findings.flatMap(({ code, severity, node, message, hint, line }) => {
    const paint = severity === 'error' ? style.red : style.yellow;
    const where = `${file}${line === null ? '' : `:${line}`}`;
    return [
      `${plain(where)}: ${paint(severity)} ${code}${node === null ? '' : ` ${style.bold(plain(node))}`}: ${oneLine(message)}`,
      `  ${style.dim(oneLine(hint))}`,
    ];
  });
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const verdict = errors > 0 ? style.red(`cannot be run: ${errors} error(s)`) : style.green('can be run');
  return [...lines, `${plain(file)} ${verdict}, ${findings.length - errors} warning(s)`].join('\n');
};

export const showVersion = ({ name, version, rolledBackTo }: WorkflowVersion): string =>
  `${name}@${version}${rolledBackTo === undefined ? '' : `, which is ${name}@${rolledBackTo} again`}`;

export const showVersions = (versions: readonly WorkflowVersion[], style: Style): string =>
  versions.length === 0
    ? 'No workflow is stored: clout workflow import FILE'
    : table(
        [
          { title: 'NAME', paint: style.bold },
          { title: 'VERSION', align: 'right' },
          { title: 'STORED' },
          { title: 'BY' },
          { title: 'NOTE' },
        ],
        versions.map(({ name, version, createdAt, createdBy, note, rolledBackTo }) => [
          name,
          String(version),
          createdAt,
          createdBy,
          oneLine(note ?? (rolledBackTo === undefined ? '' : `${name}@${rolledBackTo} again`), 60),
        ]),
        style.dim,
      );

const MARKS = { added: '+', removed: '-', changed: '~' } as const;

export const showDiff = ({ name, from, to, changes }: WorkflowDiff, style: Style): string =>
  changes.length === 0
    ? `${name}@${from} and ${name}@${to} have the same document`
    : changes
        .flatMap(({ what, id, kind, before, after }) => [
          `${MARKS[kind]} ${what} ${style.bold(plain(id))}`,
          ...(before === null ? [] : [style.red(`    - ${oneLine(before, 200)}`)]),
          ...(after === null ? [] : [style.green(`    + ${oneLine(after, 200)}`)]),
        ])
        .join('\n');
