import type { ExecutionOptions, NewRun, SDKExecutionResult, StreamChunk } from '@cloutagent/contract';
import type { Clock } from '@cloutagent/kit';
import { levelsOf, limitedLevels } from '../budget/levels.ts';
import type { PrefixTokens } from '../model/bound.ts';
import type { ModelPort } from '../model/port.ts';
import type { Price } from '../model/price.ts';
import { openDrive, type DriveDeps } from '../workflow/drive.ts';
import type { Journal } from '../workflow/journal.ts';
import { openChunks } from './chunks.ts';
import type { Conversation } from './conversation.ts';
import { runAgent, type AgentEnd } from './loop.ts';
import { failureOf, toResult } from './result.ts';
import type { ToolPort } from './tool-port.ts';

/** What every execution of a process works with. */
export interface ExecutionDeps extends Pick<DriveDeps, 'people'> {
  readonly journal: Journal & PrefixTokens;
  readonly clock: Clock;
  /** In [0, 1), for the jitter of retries. */
  readonly random: () => number;
}

export type ExecuteOptions = ExecutionOptions & { readonly signal?: AbortSignal | undefined };

/** Takes chunks one after another; the model is read on when the promise is settled. */
export type Emit = (chunk: StreamChunk) => void | Promise<void>;

/** One execution, with everything that its agent settled for it. */
export interface Execution {
  readonly run: NewRun;
  readonly model: ModelPort;
  readonly price: Price;
  readonly tools: ToolPort;
  /** Ends with the message of the user. */
  readonly conversation: Conversation;
  readonly maxTokens: number;
  readonly maxIterations: number;
  readonly structured: boolean;
  readonly warnings: readonly string[];
}

/** Runs the loop over a journal; how it ends is a result, never an error. Gives the conversation to be continued, too. */
export const execute = async (
  deps: ExecutionDeps,
  execution: Execution,
  emit: Emit,
  signal: AbortSignal,
): Promise<{ readonly result: SDKExecutionResult; readonly conversation: Conversation | undefined }> => {
  const { run, price, model, tools, conversation, maxIterations } = execution;
  const startedAt = deps.clock.monotonic();
  const chunks = openChunks(price, emit);
  const spender = { ...run, slug: run.document.slug };
  let end: AgentEnd | undefined;
  let problem: unknown;
  try {
    signal.throwIfAborted();
    await deps.journal.start(run, limitedLevels(spender, run.limitNanoUsd));
    const drive = openDrive(await deps.journal.claim(run.id), levelsOf(spender), {
      journal: deps.journal,
      clock: deps.clock,
      random: deps.random,
      signal,
      // Nobody resumes it, so that nobody is asked.
      unknown: 'skip',
      people: deps.people,
      onText: () => undefined,
      onEvents: () => undefined,
    });
    try {
      const use = { port: model, price, prefixes: deps.journal, maxTokens: execution.maxTokens };
      end = await runAgent(drive, use, tools, {
        prefix: 'agent',
        conversation,
        maxIterations,
        // Whoever continues the conversation sends all of it again, tools or not.
        cache: 'conversation',
        keepCut: true,
        observe: chunks.observe,
      });
      problem = end.failure ?? undefined;
    } catch (error) {
      problem = error;
    }
    const status = problem === undefined ? 'completed' : signal.aborted ? 'cancelled' : 'failed';
    // Its event is how who follows the run learns that nothing more comes.
    await drive.commit({ events: [{ type: 'run.state', status, reason: null }], state: { status, reason: null } });
  } catch (error) {
    problem ??= error;
  }
  const duration = deps.clock.monotonic() - startedAt;
  const result = toResult({ ...execution, id: run.id }, chunks.tally(), end, failureOf(problem, signal), duration);
  if (result.error !== undefined) await emit({ type: 'error', error: result.error, code: result.errorCode });
  await emit({ type: 'done', result });
  return { result, conversation: end?.conversation };
};
