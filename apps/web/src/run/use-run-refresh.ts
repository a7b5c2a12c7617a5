import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { LiveRun } from './live.ts';

/** The stored run is read again this long after something finished: it holds full inputs and outputs, events only previews. */
const SETTLE_MS = 700;
/** A run whose process died sends nothing, so it is asked for now and then. */
const WATCH_MS = 5_000;

/** Keeps the stored run fresh while events tell that it moves, and finds out when nobody drives it any more. */
export const useRunRefresh = (runId: string, live: LiveRun, enabled: boolean): void => {
  const queries = useQueryClient();
  const finished = Array.from(live.steps.values(), (step) => (step.endedAt === null ? 0 : 1)).reduce<number>(
    (sum, one) => sum + one,
    0,
  );
  const mark = `${finished}/${live.status ?? ''}/${live.gap}`;
  useEffect(() => {
    if (!enabled) return undefined;
    const timer = setTimeout(() => void queries.invalidateQueries({ queryKey: ['run', runId] }), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [queries, runId, mark, enabled]);
  useEffect(() => {
    if (!enabled) return undefined;
    const timer = setInterval(() => void queries.invalidateQueries({ queryKey: ['run', runId] }), WATCH_MS);
    return () => clearInterval(timer);
  }, [queries, runId, enabled]);
};
