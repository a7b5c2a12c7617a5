import type { RunDetail } from '@cloutagent/contract';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { LocateFixed } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { metaQuery, runQuery } from '../api/queries.ts';
import { Page } from '../shell/page.tsx';
import { Button } from '../ui/button.tsx';
import { ProblemBox } from '../ui/problem-box.tsx';
import { Skeleton, SkeletonRows } from '../ui/skeleton.tsx';
import { statusWord } from '../ui/status.tsx';
import { useNow } from '../ui/use-now.ts';
import { ApprovalsBox } from './approvals-box.tsx';
import { CancelPanel } from './cancel-panel.tsx';
import { flatten } from './flatten.ts';
import { ResumePanel } from './resume-panel.tsx';
import { RunFigures } from './run-figures.tsx';
import { ReasonBox, RunHeader } from './run-header.tsx';
import { countNodes, defaultStep, toCurrentRun } from './run-view.ts';
import { StepPanel } from './step-panel.tsx';
import { StepTree } from './step-tree.tsx';
import { toTimeline } from './timeline.ts';
import { findNode, toTree, type StepNode } from './tree.ts';
import { useAnnouncer } from './use-announcer.ts';
import { hasEnded, useLiveRun } from './use-live-run.ts';
import { useRunRefresh } from './use-run-refresh.ts';

const route = getRouteApi('/runs/$id');

/** The clock of a run that goes on is shown in tenths of a second. */
const TICK_MS = 200;
/** A tree larger than this opens with its finished tasks closed. */
const LARGE_TREE = 80;

const RunView = ({
  detail,
  error,
  onRetry,
}: {
  readonly detail: RunDetail;
  readonly error: unknown;
  readonly onRetry: () => void;
}) => {
  const { id } = route.useParams();
  const { step, panel } = route.useSearch();
  const navigate = route.useNavigate();
  const meta = useQuery(metaQuery());
  const ended = hasEnded(detail.run.status);
  const { live, connection } = useLiveRun(id, !ended);
  useRunRefresh(id, live, !ended);
  const run = toCurrentRun(detail, live);
  const driven = run.status === 'running';
  const now = useNow(TICK_MS, driven);
  const tree = useMemo(() => toTree(detail, live, driven), [detail, live, driven]);
  const [opened, setOpened] = useState<ReadonlyMap<string, boolean>>(new Map());

  const chosen = step === undefined ? undefined : findNode(tree, step);
  const selected = chosen?.key ?? defaultStep(tree, live.current, driven);
  const large = countNodes(tree) > LARGE_TREE;
  const isExpanded = (node: StepNode): boolean =>
    opened.get(node.key) ??
    !(large && node.kind === 'task' && node.state === 'ok' && selected?.startsWith(node.key) !== true);
  const rows = flatten(tree, isExpanded);
  const node = selected === undefined ? undefined : findNode(tree, selected);
  const doing = driven && live.current !== null ? findNode(tree, live.current) : undefined;
  const spoken = useAnnouncer(
    doing === undefined ? statusWord(run.status) : `${statusWord(run.status)}: ${doing.label} ${doing.detail}`,
  );

  const closePanel = () => void navigate({ search: ({ panel: _, ...rest }) => rest });
  const panels = {
    resume: <ResumePanel key={run.status} run={run} onClose={closePanel} />,
    cancel: <CancelPanel run={run} onClose={closePanel} />,
  };
  return (
    <Page title={`${statusWord(run.status)}: ${run.title}`} panel={panel === undefined ? null : panels[panel]}>
      <RunHeader run={run} connection={connection} />
      {error === null ? null : <ProblemBox error={error} onRetry={onRetry} className="mb-4" />}
      <ReasonBox run={run} waits={detail.waits} />
      {run.kind === 'workflow' && !ended ? <ApprovalsBox runId={id} /> : null}
      <RunFigures run={run} now={now} />
      <div className="@container">
        <div className="grid items-start gap-4 @3xl:grid-cols-[minmax(0,1.5fr)_minmax(300px,1fr)]">
          <section
            aria-label="Steps of the run"
            className="overflow-hidden rounded-lg border border-line bg-surface @3xl:sticky @3xl:top-16"
          >
            <header className="flex h-10 items-center justify-between border-b border-line pr-1.5 pl-4">
              <h2 className="font-semibold">Steps</h2>
              {step !== undefined && driven ? (
                <Button
                  kind="quiet"
                  icon={<LocateFixed size={13} aria-hidden />}
                  onClick={() => void navigate({ replace: true, search: ({ step: _, ...rest }) => rest })}
                >
                  Follow
                </Button>
              ) : null}
            </header>
            <StepTree
              rows={rows}
              selected={selected}
              root={meta.data?.project.root ?? ''}
              now={now}
              barOf={toTimeline(tree, now)}
              onSelect={(key) => void navigate({ replace: true, search: (before) => ({ ...before, step: key }) })}
              onExpand={(key, expanded) => setOpened((before) => new Map(before).set(key, expanded))}
            />
          </section>
          <div className="@3xl:sticky @3xl:top-16 @3xl:max-h-[calc(100dvh-5rem)] @3xl:overflow-y-auto">
            {node === undefined ? null : <StepPanel key={node.key} node={node} simulated={run.simulated} now={now} />}
          </div>
        </div>
      </div>
      <p role="status" aria-live="polite" className="sr-only">
        {spoken}
      </p>
    </Page>
  );
};

const Loading = () => (
  <Page title="Run">
    <div role="status" aria-label="Loading the run">
      <Skeleton className="h-3 w-40" />
      <Skeleton className="mt-3 h-6 w-2/3" />
      <Skeleton className="mt-6 h-20 w-full" />
      <div className="mt-4 rounded-lg border border-line bg-surface">
        <SkeletonRows rows={6} label="Loading steps" />
      </div>
    </div>
  </Page>
);

export const RunPage = () => {
  const { id } = route.useParams();
  const queries = useQueryClient();
  const detail = useQuery(runQuery(id));
  useEffect(() => () => queries.removeQueries({ queryKey: ['run', id], exact: true }), [id, queries]);
  if (detail.data !== undefined)
    return <RunView key={id} detail={detail.data} error={detail.error} onRetry={() => void detail.refetch()} />;
  if (detail.error !== null) {
    return (
      <Page title="Run">
        <ProblemBox
          error={detail.error}
          retrying={detail.isFetching}
          onRetry={() => void detail.refetch()}
          className="mt-6"
        />
      </Page>
    );
  }
  return <Loading />;
};
