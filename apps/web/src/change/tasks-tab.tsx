import { Link } from '@tanstack/react-router';
import {
  BadgeCheck,
  Circle,
  CircleX,
  Hand,
  LoaderCircle,
  MessageSquareQuote,
  TriangleAlert,
  type LucideIcon,
} from 'lucide-react';
import type { Run, Task } from '@cloutagent/contract';
import { checkText } from '../run/label.ts';
import { Amount } from '../ui/money.tsx';
import { cx } from '../ui/class-names.ts';
import { toTaskGroups, type TaskLine, type TaskState } from './verification.ts';

const LOOKS: Readonly<Record<TaskState, { icon: LucideIcon; word: string; tone: string; title: string }>> = {
  open: { icon: Circle, word: 'Open', tone: 'text-ink-3', title: 'Not done yet' },
  running: { icon: LoaderCircle, word: 'Running', tone: 'text-accent', title: 'An agent works on it now' },
  failed: { icon: CircleX, word: 'Failed', tone: 'text-bad', title: 'The last run could not do it' },
  checked: { icon: BadgeCheck, word: 'Checked', tone: 'text-ok', title: 'Its checks were run and held' },
  unverified: {
    icon: MessageSquareQuote,
    word: 'Unverified',
    tone: 'text-warn',
    title: 'Done on the agent’s word: it has no checks',
  },
  'by-hand': { icon: Hand, word: 'By hand', tone: 'text-ink-2', title: 'Ticked outside of a run' },
};

const Checks = ({ task }: { readonly task: Task }) => (
  <ul className="mt-1 flex flex-col gap-0.5">
    {task.checks.map((check) => (
      <li key={checkText(check)} className="flex gap-2 font-mono text-xs break-all text-ink-3">
        <span className="shrink-0 text-ink-3">check</span>
        <span className="text-ink-2">{checkText(check)}</span>
      </li>
    ))}
    {task.unreadableChecks.map((text) => (
      <li key={text} className="flex items-start gap-1.5 text-xs text-warn">
        <TriangleAlert size={13} aria-hidden className="mt-0.5 shrink-0" />
        <span>
          This check cannot be read, so the task is never ticked: <code className="font-mono break-all">{text}</code>
        </span>
      </li>
    ))}
  </ul>
);

const Line = ({ line }: { readonly line: TaskLine }) => {
  const { task, state, runId } = line;
  const { icon: Icon, word, tone, title } = LOOKS[state];
  return (
    <li className="grid grid-cols-[auto_1fr] gap-x-3 px-4 py-3 sm:grid-cols-[auto_1fr_auto]">
      <span className="tnum w-8 pt-px font-mono text-xs text-ink-3">{task.id}</span>
      <div className="min-w-0">
        <p className={cx('break-words', task.done ? 'text-ink-2' : 'font-medium text-ink')}>{task.title}</p>
        {task.notes.map((note) => (
          <p key={note} className="mt-0.5 text-xs break-words text-ink-3">
            {note}
          </p>
        ))}
        <Checks task={task} />
      </div>
      <div className="col-start-2 mt-1 flex items-center gap-3 text-xs sm:col-start-3 sm:mt-0 sm:flex-col sm:items-end sm:gap-0.5">
        <span className={cx('inline-flex items-center gap-1.5 font-medium', tone)} title={title}>
          <Icon
            size={14}
            aria-hidden
            className={state === 'running' ? 'animate-spin motion-reduce:animate-none' : ''}
          />
          {word}
        </span>
        {runId === undefined ? null : (
          <Link
            to="/runs/$id"
            params={{ id: runId }}
            search={{ step: `task[${task.id}]` }}
            className={cx('tnum hover:underline', line.simulated ? 'text-sim' : 'text-ink-3')}
            title={line.simulated ? 'Simulated: not billed. Show in its run' : 'Show in its run'}
          >
            {line.costNanoUsd === 0 ? 'run' : <Amount nanoUsd={line.costNanoUsd} />}
            {line.simulated ? ' sim' : ''}
          </Link>
        )}
      </div>
    </li>
  );
};

export const TasksTab = ({ tasks, runs }: { readonly tasks: readonly Task[]; readonly runs: readonly Run[] }) => {
  const groups = toTaskGroups(tasks, runs);
  if (groups.length === 0) {
    return (
      <p className="rounded-lg border border-line bg-surface px-4 py-10 text-center text-ink-2">
        tasks.md has no checkbox yet. Write tasks as <code className="font-mono">- [ ] 1.1 What to do</code>.
      </p>
    );
  }
  return (
    <div className="flex flex-col gap-5">
      {groups.map((group, index) => (
        <section key={`${group.title}${index}`}>
          <div className="mb-1.5 flex items-baseline justify-between px-1">
            <h2 className="font-semibold">{group.title === '' ? 'Tasks' : group.title}</h2>
            <span className="tnum text-xs text-ink-3">
              {group.lines.filter((line) => line.task.done).length}/{group.lines.length}
            </span>
          </div>
          <ul className="divide-y divide-line rounded-lg border border-line bg-surface">
            {group.lines.map((line) => (
              <Line key={`${line.task.id}/${line.task.line}`} line={line} />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
};
