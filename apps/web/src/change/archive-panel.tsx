import { showUsd, type ArchiveResult, type ChangeDetail, type Run, type Validation } from '@cloutagent/contract';
import { Archive, CircleCheck, CircleX } from 'lucide-react';
import { useState } from 'react';
import { api } from '../api/client.ts';
import { useAction } from '../api/use-action.ts';
import { Button } from '../ui/button.tsx';
import { Panel } from '../ui/panel.tsx';
import { ProblemBox } from '../ui/problem-box.tsx';

const Gate = ({ ok, children }: { readonly ok: boolean; readonly children: string }) => {
  const Icon = ok ? CircleCheck : CircleX;
  return (
    <li className="flex gap-2">
      <Icon size={14} aria-hidden className={`mt-0.5 shrink-0 ${ok ? 'text-ok' : 'text-bad'}`} />
      <span>
        <span className="sr-only">{ok ? 'Fulfilled: ' : 'Not fulfilled: '}</span>
        {children}
      </span>
    </li>
  );
};

const Row = ({ label, value }: { readonly label: string; readonly value: string }) => (
  <div className="py-2">
    <dt className="text-xs text-ink-3">{label}</dt>
    <dd className="font-mono text-xs break-all">{value}</dd>
  </div>
);

/** What the runs of a change cost, simulated money apart. */
const costText = (runs: readonly Run[]): string => {
  const sum = (simulated: boolean): number =>
    runs.filter((run) => run.simulated === simulated).reduce((total, run) => total + run.money.spent.nanoUsd, 0);
  const count = runs.length === 1 ? '1 run' : `${runs.length} runs`;
  return `${showUsd(sum(false))} billed, ${showUsd(sum(true))} simulated, ${count}`;
};

/** What an archive did, and where its receipt is. */
const ArchiveReport = ({ result, runs }: { readonly result: ArchiveResult; readonly runs: readonly Run[] }) => (
  <div className="flex flex-col gap-3">
    <p className="flex items-center gap-2 font-medium text-ok">
      <CircleCheck size={15} aria-hidden /> Archived
    </p>
    <dl className="divide-y divide-line rounded-lg border border-line px-3">
      <Row label="Folder" value={result.path} />
      <Row label="Receipt" value={result.receiptPath} />
      <Row label="Cost" value={costText(runs)} />
      {result.specs.map((spec) => (
        <Row
          key={spec.path}
          label={`${spec.created ? 'New specification' : 'Merged into'} · ${spec.added.length} added`}
          value={`${spec.path}${spec.added.length === 0 ? '' : `: ${spec.added.join(', ')}`}`}
        />
      ))}
    </dl>
    {result.warnings.map((warning) => (
      <p key={warning} className="rounded-md bg-warn-soft p-2.5">
        {warning}
      </p>
    ))}
  </div>
);

interface ArchivePanelProps {
  readonly slug: string;
  /** Undefined once the change is archived. */
  readonly change: ChangeDetail | undefined;
  readonly validation: Validation | undefined;
  readonly runs: readonly Run[];
  readonly onClose: () => void;
}

/** The last station: what is asked before, and what was done after. */
export const ArchivePanel = ({ slug, change, validation, runs, onClose }: ArchivePanelProps) => {
  const [allowed, setAllowed] = useState(false);
  const archive = useAction((allowIncomplete: boolean) =>
    api.call('changeArchive', { params: { slug }, body: { allowIncomplete } }),
  );
  const open = change === undefined ? 0 : change.tasks.total - change.tasks.done;
  const blocked = open > 0 && !allowed;
  return (
    <Panel
      title={archive.result === undefined ? 'Archive this change' : 'Receipt'}
      onClose={onClose}
      footer={
        archive.result === undefined ? (
          <>
            <Button kind="quiet" onClick={onClose}>
              Close
            </Button>
            <Button
              kind="primary"
              busy={archive.busy}
              disabled={blocked || change === undefined}
              onClick={() => archive.run(allowed)}
              icon={<Archive size={13} aria-hidden />}
            >
              Archive
            </Button>
          </>
        ) : (
          <Button kind="primary" onClick={onClose}>
            Done
          </Button>
        )
      }
    >
      {archive.result !== undefined ? (
        <ArchiveReport result={archive.result} runs={runs} />
      ) : change === undefined ? (
        <p className="text-ink-2">This change is archived already, or it is no longer there.</p>
      ) : (
        <div className="flex flex-col gap-4">
          <p className="text-ink-2">
            Merges the deltas into the specifications, moves the change to the archive, and writes a receipt with its
            cost, runs and evidence.
          </p>
          <ul className="flex flex-col gap-1.5">
            <Gate ok={open === 0}>
              {open === 0 ? 'All tasks are done' : open === 1 ? 'One task is open' : `${open} tasks are open`}
            </Gate>
            {validation === undefined ? null : (
              <Gate ok={validation.valid}>{validation.valid ? 'The spec is valid' : 'The spec is not valid'}</Gate>
            )}
          </ul>
          {open === 0 ? null : (
            <label className="flex gap-2.5 rounded-md border border-line p-2.5 hover:bg-hover">
              <input
                type="checkbox"
                checked={allowed}
                onChange={(event) => setAllowed(event.target.checked)}
                className="mt-1 accent-accent"
                data-autofocus
              />
              <span>
                <span className="block font-medium">Archive with open tasks</span>
                <span className="block text-xs text-ink-3">The receipt names them as not done.</span>
              </span>
            </label>
          )}
          {archive.error === null ? null : (
            <ProblemBox error={archive.error} onRetry={() => archive.run(allowed)} retrying={archive.busy} />
          )}
        </div>
      )}
    </Panel>
  );
};
