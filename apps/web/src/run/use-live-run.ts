import type { RunFrame, RunStatus } from '@cloutagent/contract';
import { useEffect, useRef, useState } from 'react';
import { applyFrames, EMPTY_LIVE, type LiveRun } from './live.ts';
import { streamRun, type Connection } from './stream.ts';

/** Frames are applied this often at most: enough for text that flows, little enough for a slow machine. */
const FLUSH_MS = 80;

const ENDED: ReadonlySet<RunStatus> = new Set(['completed', 'failed', 'cancelled']);

export const hasEnded = (status: RunStatus): boolean => ENDED.has(status);

export interface LiveRunState {
  readonly live: LiveRun;
  readonly connection: Connection;
}

const isEnd = (frame: RunFrame): boolean =>
  frame.event === 'run' && frame.data.body.type === 'run.state' && hasEnded(frame.data.body.status);

/** Follows a run from its first event while `enabled`; what was read stays when it ends. */
export const useLiveRun = (runId: string, enabled: boolean): LiveRunState => {
  const [state, setState] = useState<LiveRunState & { readonly runId: string }>({
    runId,
    live: EMPTY_LIVE,
    connection: 'connecting',
  });
  const lastSeq = useRef(0);

  useEffect(() => {
    lastSeq.current = 0;
    setState({ runId, live: EMPTY_LIVE, connection: 'connecting' });
  }, [runId]);

  useEffect(() => {
    if (!enabled) return undefined;
    const controller = new AbortController();
    let pending: RunFrame[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      const frames = pending;
      pending = [];
      setState((before) => ({ ...before, live: applyFrames(before.live, frames) }));
    };
    void streamRun(runId, {
      after: () => lastSeq.current,
      signal: controller.signal,
      onConnection: (connection) => setState((before) => ({ ...before, connection })),
      onFrame: (frame) => {
        if (frame.event === 'run') lastSeq.current = frame.data.seq;
        pending.push(frame);
        timer ??= setTimeout(flush, FLUSH_MS);
        if (isEnd(frame)) {
          controller.abort();
          setState((before) => ({ ...before, connection: 'ended' }));
        }
      },
    });
    return () => {
      controller.abort();
      clearTimeout(timer);
      if (pending.length > 0) flush();
    };
  }, [runId, enabled]);

  return state.runId === runId ? state : { live: EMPTY_LIVE, connection: 'connecting' };
};
