import type { RunEvent, RunStatus, TaskOutcome } from '@cloutagent/contract';
import type { ModelPort } from '@cloutagent/engine';
import type { Clock } from '@cloutagent/kit';
import type { LaneDeps, LaneJournal } from './deps.ts';
import { driveRun, type DriveOptions } from './drive.ts';
import { openFileTools, openLane, type LaneOptions, type TempProject } from './lane.fake.ts';
import { startRun } from './start.ts';

/** Five tasks with a file check each, or those with these titles. */
export const noteTasks = (titles: readonly string[] = ['One', 'Two', 'Three', 'Four', 'Five']): string => {
  const tasks = titles.map((title, index) => {
    const number = index + 1;
    return `- [ ] 1.${number} ${title}\n  - check: file n${number}.txt contains "Note ${number}"\n`;
  });
  return `## 1. Notes\n\n${tasks.join('')}`;
};

export interface Bench<J, M> {
  readonly deps: LaneDeps;
  readonly journal: J;
  readonly model: M;
  /** Everything that was told, by all drivers. */
  readonly events: readonly RunEvent[];
  /** How the finished tasks ended. */
  outcomes(): readonly TaskOutcome[];
  /** Starts a run with a limit in nano-dollars; a dollar. */
  start(limitNanoUsd?: number): Promise<string>;
  drive(runId: string, options?: Partial<DriveOptions> & { readonly deps?: Partial<LaneDeps> }): Promise<RunStatus>;
}

/** A project's lane with runs that can be started, driven and looked at. */
export const openBench = async <J extends Omit<LaneJournal, 'receiptRuns'>, M extends ModelPort>(
  project: TempProject,
  parts: { readonly journal: J; readonly model: M; readonly clock: Clock },
  more: Partial<LaneOptions> = {},
): Promise<Bench<J, M>> => {
  const { root } = project;
  const deps = await openLane({ root, ...parts, tools: openFileTools(root), ...more });
  const events: RunEvent[] = [];
  return {
    deps,
    journal: parts.journal,
    model: parts.model,
    events,
    outcomes: () => events.flatMap(({ body }) => (body.type === 'task.finished' ? [body.outcome] : [])),
    start: (limitNanoUsd = 1e9) => startRun(deps, { slug: 'add-notes', simulated: false, limitNanoUsd }),
    drive: (runId, { deps: other, ...options } = {}) =>
      driveRun({ ...deps, ...other }, runId, {
        signal: new AbortController().signal,
        onText: () => undefined,
        onEvents: (some) => void events.push(...some),
        ...options,
      }),
  };
};
