import type { BudgetLevel, LimitedLevel } from '@cloutagent/contract';

/** Simulated money is nobody's, so that it is counted apart at every level that runs share. */
const kept = (id: string, simulated: boolean): string => (simulated ? `${id}:simulated` : id);

/** Whose money a run spends. */
export interface Spender {
  readonly projectId: string;
  readonly simulated: boolean;
  /** Change or workflow that the run is of. */
  readonly slug?: string | undefined;
  readonly startedBy?: string | undefined;
}

export const globalLevel = (simulated: boolean): BudgetLevel => ({ scope: 'global', id: kept('all', simulated) });

export const projectLevel = (projectId: string, simulated: boolean): BudgetLevel => ({
  scope: 'project',
  id: kept(projectId, simulated),
});

export const changeLevel = (projectId: string, slug: string, simulated: boolean): BudgetLevel => ({
  scope: 'change',
  id: kept(`${projectId}/${slug}`, simulated),
});

export const userLevel = (name: string, simulated: boolean): BudgetLevel => ({
  scope: 'user',
  id: kept(name, simulated),
});

/** Level of one node of a run: `place` is the first segment of the keys of its steps. */
export const taskLevel = (runId: string, place: string): BudgetLevel => ({ scope: 'task', id: `${runId}/${place}` });

/** The levels on which every call of a run counts, the widest last. */
export const levelsOf = (run: Spender & { readonly id: string }): readonly BudgetLevel[] => [
  { scope: 'run', id: run.id },
  ...(run.slug === undefined ? [] : [changeLevel(run.projectId, run.slug, run.simulated)]),
  ...(run.startedBy === undefined || run.startedBy === '' ? [] : [userLevel(run.startedBy, run.simulated)]),
  projectLevel(run.projectId, run.simulated),
  globalLevel(run.simulated),
];

/** Limits of a run's nodes in nano-dollars, by the first segment of their steps' keys. */
export type NodeLimits = ReadonlyMap<string, number>;

/** What was quoted for each node, for a run that may spend `limitNanoUsd`: what it has more than was quoted, all have alike. */
export const nodeLimits = (quoted: NodeLimits, ceilingNanoUsd: number, limitNanoUsd: number): NodeLimits => {
  const factor = Math.max(1, limitNanoUsd / Math.max(1, ceilingNanoUsd));
  return new Map([...quoted].map(([place, limit]) => [place, Math.floor(limit * factor)]));
};

/**
 * The levels of a new run with their limits; the levels that it shares with others keep what they have.
 * `limitNanoUsd` is the run's own.
 */
export const limitedLevels = (
  run: Spender & { readonly id: string },
  limitNanoUsd: number | null,
  nodes: NodeLimits = new Map(),
): readonly LimitedLevel[] => [
  ...[...nodes].map(([place, limit]) => ({ ...taskLevel(run.id, place), limitNanoUsd: limit, place })),
  ...levelsOf(run).map((level) => ({ ...level, limitNanoUsd: level.scope === 'run' ? limitNanoUsd : null })),
];
