import { CloutError, codeOf, errorSpec, type Run, type RunFrame } from '@cloutagent/contract';
import type { Context } from './context.ts';
import { createReporter } from './progress/reporter.ts';
import { isLost, type Session } from './session.ts';
import { exitOf, showEnd } from './show/run.ts';

/** Servers that may vanish one after another without a sign of life from the run. */
const MAX_LOSSES = 3;

export interface FollowOptions {
  /** Sequence number of the last event that needs no showing. */
  readonly after: number;
  /** The command is to get the run done: where its server goes away, the run is taken up again. */
  readonly resume: boolean;
}

/**
 * Shows a run until it ends or pauses and returns the exit code. Ctrl-C leaves a run of another process alone; one of
 * this process is interrupted cleanly and can be resumed. A server that goes away is looked for again, or replaced.
 */
export const followRun = async (
  context: Context,
  session: Session,
  run: Run,
  { after, resume }: FollowOptions,
): Promise<number> => {
  const { io, output } = context;
  const controller = new AbortController();
  const { signal } = controller;
  const stopListening = io.onInterrupt(() => controller.abort());
  // Nobody watches any more: a run of this process goes on to its end, one of another process needs no onlooker.
  const stopWatching = io.onOutputClosed(() => {
    if (!session.own) controller.abort();
  });
  const reporter = createReporter(context, run, after === 0);
  let seq = after;
  let losses = 0;
  /** The run has no server at the moment. */
  let adrift = false;
  const recover = async (cause: unknown): Promise<void> => {
    losses += 1;
    adrift = true;
    if (losses > MAX_LOSSES) throw orphaned(run, cause);
    try {
      await session.renew(signal);
      if (resume) await session.call('runResume', { params: { id: run.id }, body: {} });
      adrift = false;
    } catch (error) {
      // Whatever was wrong this time is tried again while it is the server; anything else needs a person.
      if (!signal.aborted && !isLost(error)) throw orphaned(run, error);
    }
  };
  try {
    while (!signal.aborted) {
      const { url } = session;
      try {
        for await (const frame of session.events(run.id, { after: seq, untilSettled: true, signal })) {
          if (frame.event === 'run') seq = frame.data.seq;
          losses = 0;
          reporter.frame(frame);
          if (await isAskingAPerson(session, run.id, frame)) break;
        }
        if (signal.aborted) break;
        const { run: final } = await session.call('runShow', { params: { id: run.id } });
        if (!resume || final.status !== 'interrupted' || !(await hasMoved(session, url, signal))) {
          reporter.close();
          output.event({ type: 'result', run: final });
          output.line(showEnd(final, output.style));
          return exitOf(final.status);
        }
        await recover(undefined);
      } catch (error) {
        if (!isLost(error)) throw error;
        await recover(error);
      }
    }
  } finally {
    reporter.close();
    stopListening();
    stopWatching();
  }
  if (!session.own && !adrift) return detached(context, run);
  session.hurry();
  return interrupted(context, run);
};

/** A run that waits for a person may do so for days; one that waits for a time is followed on. */
const isAskingAPerson = async (session: Session, runId: string, frame: RunFrame): Promise<boolean> => {
  if (frame.event !== 'run' || frame.data.body.type !== 'run.state' || frame.data.body.status !== 'waiting')
    return false;
  const { run, waits, lastSeq } = await session.call('runShow', { params: { id: runId } });
  // What is read may be long past; where more is stored, the run has said something since.
  return frame.data.seq === lastSeq && run.status === 'waiting' && waits.some(({ topic }) => topic !== null);
};

/** A server that stops may say at last that the run is interrupted: is there another one by now? */
const hasMoved = async (session: Session, url: string, signal: AbortSignal): Promise<boolean> => {
  if (!session.own) await session.renew(signal);
  return session.url !== url;
};

const orphaned = (run: Run, cause: unknown): CloutError => {
  const code = codeOf(cause) ?? 'SERVER_UNREACHABLE';
  const why = codeOf(cause) === undefined || !(cause instanceof Error) ? '' : `: ${cause.message}`;
  const hint = code === 'SERVER_UNREACHABLE' || code === 'SHUTTING_DOWN' ? '' : `${errorSpec(code).hint}. `;
  return new CloutError(code, `The server of ${run.id} went away, and the run cannot go on from here${why}`, {
    hint: `${hint}Nothing that was finished is lost. Go on: clout runs resume ${run.id}`,
    details: { runId: run.id },
    cause,
  });
};

const detached = ({ output }: Context, run: Run): number => {
  output.event({ type: 'detached', runId: run.id });
  output.line(
    `Detached; ${run.id} goes on in the server.\nWatch it: clout runs watch ${run.id}\nCancel it: clout runs cancel ${run.id}`,
  );
  return 0;
};

const interrupted = ({ output }: Context, run: Run): number => {
  output.event({ type: 'interrupted', runId: run.id });
  output.line(`Interrupted ${run.id}; nothing that was finished is lost.\nGo on: clout runs resume ${run.id}`);
  return exitOf('interrupted');
};
