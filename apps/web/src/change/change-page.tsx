import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { changeQuery, metaQuery, planQuery, runsQuery, validationQuery } from '../api/queries.ts';
import { toProblem } from '../api/error.ts';
import type { ChangeTab } from '../search.ts';
import { hasModel } from '../shell/key-banner.tsx';
import { Page } from '../shell/page.tsx';
import { ProblemBox } from '../ui/problem-box.tsx';
import { Skeleton, SkeletonRows } from '../ui/skeleton.tsx';
import { Tabs } from '../ui/tabs.tsx';
import { ArchivedChange } from './archived-change.tsx';
import { ArchivePanel } from './archive-panel.tsx';
import { ChangeHeader } from './change-header.tsx';
import { Lane } from './lane.tsx';
import { toLane } from './lane-model.ts';
import { planVersion } from './plan-version.ts';
import { PriceTab } from './price-tab.tsx';
import { RunPanel } from './run-panel.tsx';
import { RunsTab } from './runs-tab.tsx';
import { SpecTab } from './spec-tab.tsx';
import { TasksTab } from './tasks-tab.tsx';

const route = getRouteApi('/changes/$slug');

/** Codes that say that there is no such change among the active ones. */
const GONE: ReadonlySet<string> = new Set(['CHANGE_ALREADY_ARCHIVED', 'CHANGE_NOT_FOUND']);

const Loading = () => (
  <div role="status" aria-label="Loading the change">
    <Skeleton className="h-3 w-40" />
    <Skeleton className="mt-3 h-6 w-2/3" />
    <Skeleton className="mt-6 h-14 w-full" />
    <div className="mt-6 rounded-lg border border-line bg-surface">
      <SkeletonRows rows={4} label="Loading tasks" />
    </div>
  </div>
);

export const ChangePage = () => {
  const { slug } = route.useParams();
  const { tab = 'tasks', panel } = route.useSearch();
  const navigate = route.useNavigate();
  const meta = useQuery(metaQuery());
  const change = useQuery(changeQuery(slug));
  const runs = useQuery(runsQuery(slug));
  const model = meta.data?.model;
  const canBill = model === undefined || hasModel(model);
  const detail = change.data;
  const gone = change.error !== null && GONE.has(toProblem(change.error).code);
  const there = detail !== undefined && !gone;
  const validation = useQuery({ ...validationQuery(slug), enabled: there });
  const plan = useQuery({
    ...planQuery(slug, !canBill, detail === undefined ? '' : planVersion(detail)),
    enabled: there && model !== undefined && detail.tasks.done < detail.tasks.total,
  });

  const closePanel = () => void navigate({ search: ({ panel: _, ...rest }) => rest });
  const select = (next: ChangeTab) => void navigate({ replace: true, search: (before) => ({ ...before, tab: next }) });
  const all = runs.data?.items ?? [];

  const panels = {
    run: there ? (
      <RunPanel change={detail} hasModel={canBill} model={model?.default ?? 'Model'} onClose={closePanel} />
    ) : null,
    archive: (
      <ArchivePanel
        slug={slug}
        change={gone ? undefined : detail}
        validation={validation.data}
        runs={all}
        onClose={closePanel}
      />
    ),
  };

  return (
    <Page title={detail?.title ?? slug} panel={panel === undefined ? null : panels[panel]}>
      {gone ? <ArchivedChange slug={slug} title={detail?.title} runs={all} error={change.error} /> : null}
      {!there && !gone && change.error === null ? <Loading /> : null}
      {!gone && change.error !== null ? (
        <ProblemBox
          error={change.error}
          retrying={change.isFetching}
          onRetry={() => void change.refetch()}
          className="mb-4"
        />
      ) : null}
      {there ? (
        <>
          <ChangeHeader change={detail} lastRun={all[0]} />
          <Lane stations={toLane({ change: detail, plan: plan.data, lastRun: all[0], validation: validation.data })} />
          <div className="mt-4">
            <Tabs
              label="Change"
              current={tab}
              onSelect={select}
              tabs={[
                { id: 'tasks', label: 'Tasks', count: detail.taskList.length },
                { id: 'spec', label: 'Spec' },
                { id: 'price', label: 'Price tag' },
                { id: 'runs', label: 'Runs', count: all.length },
              ]}
            >
              {tab === 'tasks' ? <TasksTab tasks={detail.taskList} runs={all} /> : null}
              {tab === 'spec' ? <SpecTab change={detail} validation={validation.data} /> : null}
              {tab === 'price' ? <PriceTab change={detail} simulate={!canBill} /> : null}
              {tab === 'runs' ? <RunsTab runs={all} /> : null}
            </Tabs>
          </div>
        </>
      ) : null}
    </Page>
  );
};
