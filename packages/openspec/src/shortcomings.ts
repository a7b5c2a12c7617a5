import type { Finding } from '@cloutagent/contract';
import { META_FILE, type Meta } from './meta.ts';

/** What counts as absent in a change, and why: nothing that OpenSpec objects to, but hardly ever meant. */
export interface Looked {
  readonly meta: Meta;
  /** Files that are there, but cannot be read: a link that leads out, a hard link, too large, no text. */
  readonly unread: readonly string[];
  /** The file or pattern that holds tasks, and how many files were found for it. */
  readonly tasks: { readonly pattern: string; readonly files: number };
}

export const shortcomings = ({ meta, unread, tasks }: Looked): Finding[] => [
  ...unread.map((name) =>
    finding(
      'FILE_UNREADABLE',
      name,
      `${name} cannot be read, so it counts as absent; clout change show names the reason`,
    ),
  ),
  ...(meta.isUnreadable
    ? [
        finding(
          'META_UNREADABLE',
          META_FILE,
          `${META_FILE} is not a YAML mapping, so nothing in it counts: neither title, owner nor lease`,
        ),
      ]
    : []),
  ...(tasks.files === 0 && !unread.includes(tasks.pattern)
    ? [
        finding(
          'TASKS_MISSING',
          tasks.pattern,
          `There is no ${tasks.pattern}, so the change counts as one without tasks`,
        ),
      ]
    : []),
];

/** Only information, for the verdict is OpenSpec's. */
const finding = (code: string, path: string, message: string): Finding => ({ level: 'INFO', code, path, message });

/** As members of a summary; none where there is nothing to say. */
export const warningsIn = (findings: readonly Finding[]): { warnings?: string[] } =>
  findings.length === 0 ? {} : { warnings: findings.map(({ message }) => message) };
