import { toMoney, type ArchiveResult, type Receipt, type Task } from '@cloutagent/contract';
import { canonicalJson, newId } from '@cloutagent/kit';
import { sha256 } from './digest.ts';
import type { Project } from './project.ts';

/** What a receipt is made from: the archive that is about to be committed. */
export type ArchiveDraft = ArchiveResult & { readonly tasks: Task[]; readonly title: string };

/** The receipt of an archive by a process that knows nothing about runs. */
export const plainReceipt =
  (project: Project) =>
  async ({ slug, title, archivedAt, archivedAs, specs, totals, tasks }: ArchiveDraft): Promise<Receipt> => {
    const receipt: Omit<Receipt, 'hash'> = {
      format: 1,
      id: newId('rcp', project.clock),
      slug,
      title,
      archivedAt,
      archivedAs,
      by: project.caller,
      ledger: 'absent',
      specs,
      totals,
      tasks: tasks.map(({ id, title: text, done }) => ({
        done,
        evidence: [],
        id,
        runId: null,
        title: text,
        verification: null,
      })),
      runs: [],
      cost: { billed: toMoney(0), simulated: toMoney(0) },
    };
    return { ...receipt, hash: sha256(canonicalJson(receipt)) };
  };
