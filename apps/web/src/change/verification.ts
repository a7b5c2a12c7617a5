import type { Run, Task, Verification } from '@cloutagent/contract';

export type TaskState = 'open' | 'running' | 'failed' | Verification;

/** A task of tasks.md with what the runs say about it. `runId` is the newest run that touched it. */
export interface TaskLine {
  readonly task: Task;
  readonly state: TaskState;
  readonly runId: string | undefined;
  readonly costNanoUsd: number;
  readonly simulated: boolean;
}

export interface TaskGroup {
  readonly title: string;
  readonly lines: readonly TaskLine[];
}

const stateOf = (task: Task, runs: readonly Run[]): { readonly state: TaskState; readonly run: Run | undefined } => {
  for (const run of runs) {
    const entry = run.tasks.find((candidate) => candidate.id === task.id);
    if (entry === undefined) continue;
    if (task.done) {
      if (entry.status === 'done') return { state: entry.verification ?? 'unverified', run };
      continue;
    }
    if (entry.status === 'running' && run.status === 'running') return { state: 'running', run };
    if (entry.status === 'failed') return { state: 'failed', run };
    if (entry.status !== 'open') return { state: 'open', run };
  }
  return { state: task.done ? 'by-hand' : 'open', run: undefined };
};

/** Tasks in their groups. A ticked task that no run ticked was ticked by hand. Runs come newest first. */
export const toTaskGroups = (tasks: readonly Task[], runs: readonly Run[]): readonly TaskGroup[] => {
  const groups: { title: string; lines: TaskLine[] }[] = [];
  for (const task of tasks) {
    const { state, run } = stateOf(task, runs);
    const title = task.group ?? '';
    const line: TaskLine = {
      task,
      state,
      runId: run?.id,
      costNanoUsd: run?.tasks.find((entry) => entry.id === task.id)?.costNanoUsd ?? 0,
      simulated: run?.simulated ?? false,
    };
    const last = groups.at(-1);
    if (last !== undefined && last.title === title) last.lines.push(line);
    else groups.push({ title, lines: [line] });
  }
  return groups;
};
