import type { Run } from '@cloutagent/contract';
import type { Context } from './context.ts';
import { createReporter } from './progress/reporter.ts';
import { exitOf, showEnd } from './show/run.ts';
import type { Session } from './with-server.ts';

/**
 * Shows a run until it ends or pauses and returns the exit code. Ctrl-C leaves a run of another process alone; one of
 * this process is interrupted cleanly and can be resumed.
 */
export const followRun = async (context: Context, session: Session, run: Run, after: number): Promise<number> => {
  const { io, output } = context;
  const { client } = session;
  const controller = new AbortController();
  const stopListening = io.onInterrupt(() => controller.abort());
  const reporter = createReporter(context, run, after === 0);
  try {
    for await (const frame of client.events(run.id, { after, untilSettled: true, signal: controller.signal }))
      reporter.frame(frame);
  } finally {
    reporter.close();
    stopListening();
  }
  if (controller.signal.aborted) return session.own ? interrupted(context, run) : detached(context, run);
  const { run: final } = await client.call('runShow', { params: { id: run.id } });
  output.event({ type: 'result', run: final });
  output.line(showEnd(final, output.style));
  return exitOf(final.status);
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
