import type { Run } from '@cloutagent/contract';
import { CircleStop } from 'lucide-react';
import { api } from '../api/client.ts';
import { useAction } from '../api/use-action.ts';
import { Button } from '../ui/button.tsx';
import { Panel } from '../ui/panel.tsx';
import { ProblemBox } from '../ui/problem-box.tsx';

/** Asks once more before a run is stopped for good. */
export const CancelPanel = ({ run, onClose }: { readonly run: Run; readonly onClose: () => void }) => {
  const cancel = useAction(() => api.call('runCancel', { params: { id: run.id } }), onClose);
  return (
    <Panel
      title="Cancel this run"
      onClose={onClose}
      footer={
        <>
          <Button kind="quiet" onClick={onClose}>
            Keep it
          </Button>
          <Button
            kind="danger"
            busy={cancel.busy}
            onClick={() => cancel.run(undefined)}
            icon={<CircleStop size={13} aria-hidden />}
            data-autofocus
          >
            Cancel the run
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <p className="text-ink-2">
          The call in flight is broken off and its money settled. Ticked tasks stay ticked. A cancelled run cannot be
          resumed; a new run goes on with the open tasks.
        </p>
        {cancel.error === null ? null : (
          <ProblemBox error={cancel.error} onRetry={() => cancel.run(undefined)} retrying={cancel.busy} />
        )}
      </div>
    </Panel>
  );
};
