import type { Budget, Config, RunDetail } from '@cloutagent/contract';
import type { Journal, ModelPort, PeoplePort, PrefixTokens, PriceTable, ToolPort } from '@cloutagent/engine';
import type { Clock } from '@cloutagent/kit';
import type { Project } from '@cloutagent/openspec';

/** What the lane keeps in the store: the engine's journal, and the runs that a receipt proves. */
export interface LaneJournal extends Journal, PrefixTokens {
  /** Every run of a change, oldest first, with at least its steps of the kinds `task` and `tool`. */
  receiptRuns(projectId: string, slug: string): Promise<readonly RunDetail[]>;
  /** What each node cost in the last completed runs of a document; absent: nothing is known of earlier runs. */
  nodeHistory?(
    projectId: string,
    documentHash: string,
    simulated: boolean,
  ): Promise<readonly { readonly node: string; readonly costNanoUsd: number; readonly cacheReadTokens: number }[]>;
}

/** How a command of a check ended. */
export interface CommandResult {
  /** null where it did not end by itself. */
  readonly exitCode: number | null;
  readonly output: string;
}

/** Runs a command of a check in the shell; it ends with the signal or after `timeoutMs`. */
export type RunCommand = (options: {
  readonly command: string;
  readonly cwd: string;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}) => Promise<CommandResult>;

/** What the lane works with. Factories, because a plan needs no model and a receipt no tools. */
export interface LaneDeps {
  readonly project: Project;
  readonly projectId: string;
  readonly journal: LaneJournal;
  readonly model: (options: { readonly simulated: boolean }) => ModelPort | Promise<ModelPort>;
  readonly tools: () => Promise<ToolPort>;
  /** Whom servers may ask in the middle of a call; nobody where absent. */
  readonly people?: PeoplePort;
  readonly prices: PriceTable;
  /** Whether the model's server has a prompt cache; absent: it has. */
  readonly caches?: (options: { readonly simulated: boolean }) => boolean;
  readonly config: Config;
  readonly clock: Clock;
  /** In [0, 1), for the jitter of retries. */
  readonly random: () => number;
  /** Whether the user trusts this folder, so that its checks may run commands. */
  readonly trusted: boolean;
  readonly runCommand: RunCommand;
  /** Absolute folders that no agent may touch, beside `.cloutagent` in the project: a data folder elsewhere. */
  readonly protected?: readonly string[];
}

/** What is left of a budget; null where it has no limit. */
export const freeOf = (budget: Budget): number | null =>
  budget.limitNanoUsd === null ? null : Math.max(0, budget.limitNanoUsd - budget.spentNanoUsd - budget.heldNanoUsd);
