import type { Check, RunTask, StepRow } from '@cloutagent/contract';
import type * as z from 'zod';
import type { LiveStep } from './live.ts';
import type { KeySegment } from './step-key.ts';
import { isRecord, textOf } from './json.ts';

interface LabelInput {
  readonly kind: string;
  readonly segment: KeySegment;
  readonly row: StepRow | undefined;
  readonly live: LiveStep | undefined;
  readonly task: z.infer<typeof RunTask> | undefined;
}

export interface Label {
  readonly label: string;
  readonly detail: string;
}

/** A check in the words of tasks.md. */
export const checkText = (check: Check): string => {
  switch (check.kind) {
    case 'file-exists':
      return `file ${check.path} exists`;
    case 'file-contains':
      return `file ${check.path} contains ${JSON.stringify(check.text)}`;
    case 'run':
      return `run ${check.command}`;
    default:
      return 'check';
  }
};

const isCheck = (value: unknown): value is Check =>
  isRecord(value) &&
  (typeof value['path'] === 'string' || typeof value['command'] === 'string') &&
  typeof value['kind'] === 'string';

/** Arguments that name what a tool works on, the most telling first. */
const TARGETS = ['path', 'file', 'uri', 'url', 'query', 'source', 'pattern', 'command'] as const;

/** What a tool call works on, from its arguments. */
const targetOf = (input: unknown): string => {
  if (!isRecord(input)) return '';
  for (const name of TARGETS) {
    const value = input[name];
    if (typeof value === 'string') return value;
  }
  return '';
};

/** The arguments of a tool call, with or without an envelope around them. */
export const argumentsOf = (input: unknown): unknown => {
  if (!isRecord(input)) return input;
  if (isRecord(input['input'])) return input['input'];
  return isRecord(input['arguments']) ? input['arguments'] : input;
};

/** `mcp__filesystem__write_file` and `filesystem:write_file` → `write_file`. */
export const bareToolName = (name: string): string => {
  const wire = name.lastIndexOf('__');
  return wire >= 0 ? name.slice(wire + 2) : name.slice(name.indexOf(':') + 1);
};

const count = (segment: KeySegment): string => String(Number(segment.index) + 1);

const stopReasonOf = ({ row, live }: LabelInput): string => {
  const stored = isRecord(row?.output) ? row.output['stopReason'] : undefined;
  return (typeof stored === 'string' ? stored : (live?.stopReason ?? '')).replaceAll('_', ' ');
};

const checkLabel = ({ row, live }: LabelInput): string => {
  const candidates = [row?.input, isRecord(row?.output) ? row.output['check'] : undefined, live?.input];
  const check = candidates.find(isCheck);
  return check === undefined ? (row?.name ?? live?.name ?? 'check') : checkText(check);
};

/** What kind of node it is, which branch it took, and what went wrong. */
const nodeDetail = ({ row, live }: LabelInput): string => {
  const output = isRecord(row?.output) ? row.output : {};
  const error = isRecord(output['error']) ? textOf(output['error']['message']) : undefined;
  const branch = textOf(output['branch']);
  return [row?.name ?? textOf(live?.input) ?? '', branch === undefined ? '' : `→ ${branch}`, error ?? '']
    .filter((part) => part !== '')
    .join(' ');
};

/** Words for one row of the tree. */
export const toLabel = (input: LabelInput): Label => {
  const { kind, segment, row, live, task } = input;
  switch (kind) {
    case 'task':
      return { label: task?.title ?? live?.name ?? `Task ${segment.index}`, detail: '' };
    case 'node':
      return { label: task?.title ?? live?.name ?? segment.name, detail: nodeDetail(input) };
    case 'item':
      return { label: `Item ${count(segment)}`, detail: '' };
    case 'ask':
      return { label: `Asks: ${row?.name ?? live?.name ?? 'a person'}`, detail: '' };
    case 'wait':
      return { label: 'Wait', detail: isRecord(row?.output) ? (textOf(row.output['kind']) ?? '') : '' };
    case 'try':
      return { label: `Try ${count(segment)}`, detail: '' };
    case 'turn':
      return { label: `Turn ${count(segment)}`, detail: stopReasonOf(input) };
    case 'tool': {
      return {
        label: bareToolName(row?.name ?? live?.name ?? 'tool'),
        detail: targetOf(argumentsOf(row?.input ?? live?.input)),
      };
    }
    case 'check':
      return { label: checkLabel(input), detail: '' };
    case 'tick':
      return { label: 'Tick the box in tasks.md', detail: '' };
    default:
      return { label: row?.name ?? textOf(live?.name) ?? segment.name, detail: '' };
  }
};
