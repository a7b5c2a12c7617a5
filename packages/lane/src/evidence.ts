import { CloutError, type Config, type Task } from '@cloutagent/contract';
import type { LaneDeps } from './deps.ts';
import { proofOf } from './receipt.ts';

export interface EvidenceAsked {
  readonly slug: string;
  readonly tasks: readonly Task[];
  readonly allowIncomplete: boolean;
  /** `archive.evidence` of the configuration; unset where this decides by itself. */
  readonly policy: Config['archive']['evidence'];
  /** Was the change planned here, as it is now? */
  readonly isPlanned: boolean;
}

/**
 * Done tasks of a change that no run here did: a warning, or a refusal where the policy asks for evidence. Without a
 * policy it is asked for as soon as the change was planned or run here.
 * @returns warnings
 * @throws CHANGE_TASKS_INCOMPLETE
 */
export const evidenceGate = async (
  deps: Pick<LaneDeps, 'journal' | 'projectId'>,
  { slug, tasks, allowIncomplete, policy, isPlanned }: EvidenceAsked,
): Promise<string[]> => {
  if (policy === 'off') return [];
  const runs = await deps.journal.receiptRuns(deps.projectId, slug);
  const done = tasks.filter((task) => task.done);
  const unproven = done.filter((task) => proofOf(task, runs).verification === 'by-hand');
  if (unproven.length === 0) return [];
  const ids = unproven.map(({ id }) => id);
  const named = `${ids.slice(0, LISTED).join(', ')}${ids.length > LISTED ? ', …' : ''}`;
  const sentence = `${unproven.length} of ${done.length} done task(s) were ticked by hand, so nothing proves them: ${named}`;
  const isRequired = (policy ?? (isPlanned || runs.length > 0 ? 'required' : 'warn')) === 'required';
  if (!isRequired || allowIncomplete) return [sentence];
  throw new CloutError('CHANGE_TASKS_INCOMPLETE', sentence, {
    hint: `Untick them and let a run do them (clout run ${slug}), archive with allowIncomplete, or set archive.evidence to warn in .cloutagent/config.yaml`,
    details: { slug, unproven: ids.slice(0, 100) },
  });
};

/** Ids in a sentence before the rest is counted. */
const LISTED = 10;
