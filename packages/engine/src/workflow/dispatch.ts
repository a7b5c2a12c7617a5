/** Hands runs to whoever drives them, at most so many at once, and no project more than its share. */
export interface Dispatch {
  /** Queues a run; it is started at once where there is room. A run that is queued already stays where it is. */
  submit(job: Job): void;
  /** Runs before it in the queue, 0 for the next one; undefined where it is not queued. */
  position(runId: string): number | undefined;
  /** Takes a run out of the queue; false where it was not in it. */
  withdraw(runId: string): boolean;
}

export interface Job {
  readonly runId: string;
  readonly projectId: string;
  /** Drives the run until it leaves; the slot is free again when it settles. */
  readonly drive: () => Promise<unknown>;
}

/**
 * Dispatch within one process. Projects take turns, so that one with a thousand runs does not keep another's single run
 * waiting; within a project the order is that of arrival. The queue is bounded by the runs that are stored.
 */
export const openDispatch = (limits: { readonly total: number; readonly perProject: number }): Dispatch => {
  /** Waiting jobs by project, in the order in which the projects have their turns. */
  const queues = new Map<string, Job[]>();
  const active = new Map<string, number>();
  let running = 0;

  /** The next job whose project has room. */
  const take = (): Job | undefined => {
    for (const [projectId, queue] of queues) {
      if ((active.get(projectId) ?? 0) >= limits.perProject) continue;
      const job = queue.shift();
      // To the end of the turns, or out of them.
      queues.delete(projectId);
      if (queue.length > 0) queues.set(projectId, queue);
      if (job !== undefined) return job;
    }
    return undefined;
  };

  const count = (projectId: string, by: number): void => {
    const now = (active.get(projectId) ?? 0) + by;
    running += by;
    if (now === 0) active.delete(projectId);
    else active.set(projectId, now);
  };

  const fill = (): void => {
    while (running < limits.total) {
      const job = take();
      if (job === undefined) return;
      count(job.projectId, 1);
      void drive(job);
    }
  };

  const drive = async (job: Job): Promise<void> => {
    try {
      await job.drive();
    } catch {
      // Whoever drives it has said so; here only the slot counts.
    } finally {
      count(job.projectId, -1);
      fill();
    }
  };

  const waiting = (): readonly Job[] => {
    const lines = [...queues.values()];
    const longest = Math.max(0, ...lines.map(({ length }) => length));
    return Array.from({ length: longest }, (_, nth) => lines.flatMap((line) => line[nth] ?? [])).flat();
  };

  return {
    submit: (job) => {
      const queue = queues.get(job.projectId);
      if (queue === undefined) queues.set(job.projectId, [job]);
      else if (queue.every(({ runId }) => runId !== job.runId)) queue.push(job);
      fill();
    },
    position: (runId) => {
      const position = waiting().findIndex((job) => job.runId === runId);
      return position < 0 ? undefined : position;
    },
    withdraw: (runId) => {
      for (const [projectId, queue] of queues) {
        const rest = queue.filter((job) => job.runId !== runId);
        if (rest.length === queue.length) continue;
        if (rest.length === 0) queues.delete(projectId);
        else queues.set(projectId, rest);
        return true;
      }
      return false;
    },
  };
};
