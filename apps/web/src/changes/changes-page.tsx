import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Plus, Search } from 'lucide-react';
import { useEffect, useMemo, useRef } from 'react';
import { changesQuery, metaQuery, runsQuery } from '../api/queries.ts';
import { KeyBanner } from '../shell/key-banner.tsx';
import { Page } from '../shell/page.tsx';
import { buttonClass } from '../ui/button.tsx';
import { inputClass } from '../ui/field.tsx';
import { ProblemBox } from '../ui/problem-box.tsx';
import { SkeletonRows } from '../ui/skeleton.tsx';
import { ChangeTable } from './change-table.tsx';
import { EmptyChanges } from './empty-changes.tsx';
import { OpenChangePanel } from './open-change-panel.tsx';
import { countViews, filterRows, toRows } from './rows.ts';
import { ViewFilter } from './view-filter.tsx';

const route = getRouteApi('/');

/** `/` puts the cursor into the search field. */
const useSlashKey = (focus: () => void): void => {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const typing =
        event.target instanceof HTMLElement && event.target.closest('input, textarea, select, dialog') !== null;
      if (event.key !== '/' || typing || event.metaKey || event.ctrlKey || event.altKey) return;
      event.preventDefault();
      focus();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [focus]);
};

export const ChangesPage = () => {
  const search = route.useSearch();
  const { view = 'active', q = '', panel } = search;
  const navigate = route.useNavigate();
  const field = useRef<HTMLInputElement>(null);
  useSlashKey(() => field.current?.focus());
  const meta = useQuery(metaQuery());
  const changes = useQuery(changesQuery());
  const runs = useQuery(runsQuery());
  const rows = useMemo(
    () => (changes.data === undefined ? undefined : toRows(changes.data.items, runs.data?.items ?? [])),
    [changes.data, runs.data],
  );
  const shown = rows === undefined ? [] : filterRows(rows, view, q);
  const closePanel = () => {
    const { panel: _, ...rest } = search;
    void navigate({ search: rest });
  };

  return (
    <Page title="Changes" panel={panel === 'open' ? <OpenChangePanel onClose={closePanel} /> : null}>
      {meta.data === undefined ? null : <KeyBanner model={meta.data.model} />}
      <div className="mb-3 flex items-center justify-between gap-3">
        <h1 className="text-xl font-semibold tracking-tight">Changes</h1>
        <Link to="/" search={(before) => ({ ...before, panel: 'open' })} className={buttonClass('primary')}>
          <Plus size={14} aria-hidden />
          Open a change
        </Link>
      </div>
      {changes.error === null ? null : (
        <ProblemBox
          error={changes.error}
          retrying={changes.isFetching}
          onRetry={() => void changes.refetch()}
          className="mb-4"
        />
      )}
      {rows?.length === 0 ? (
        <EmptyChanges />
      ) : (
        <>
          <div className="mb-3 flex flex-wrap items-center justify-between gap-2">
            <ViewFilter view={view} search={q} counts={rows === undefined ? undefined : countViews(rows)} />
            <label className="relative w-full sm:w-60">
              <span className="sr-only">Search changes</span>
              <Search size={14} aria-hidden className="absolute top-2 left-2.5 text-ink-3" />
              <input
                ref={field}
                type="search"
                value={q}
                placeholder="Title, slug or owner"
                onChange={(event) => {
                  const { value } = event.target;
                  const { q: _, ...rest } = search;
                  void navigate({ replace: true, search: value === '' ? rest : { ...rest, q: value } });
                }}
                className={`${inputClass} pl-8`}
              />
            </label>
          </div>
          {rows === undefined && changes.error === null ? (
            <div className="rounded-lg border border-line bg-surface">
              <SkeletonRows rows={6} label="Loading changes" />
            </div>
          ) : null}
          {rows !== undefined && shown.length > 0 ? <ChangeTable rows={shown} /> : null}
          {rows !== undefined && shown.length === 0 ? (
            <p className="rounded-lg border border-line bg-surface px-4 py-10 text-center text-ink-2">
              No change matches.{' '}
              <Link to="/" search={{ view: 'all' }} className="font-medium text-accent underline underline-offset-2">
                Show all
              </Link>
            </p>
          ) : null}
          {changes.data !== undefined && changes.data.total > changes.data.items.length ? (
            <p className="mt-2 text-xs text-ink-3">
              The newest {changes.data.items.length} of {changes.data.total}. The command line lists them all: clout
              change list
            </p>
          ) : null}
        </>
      )}
    </Page>
  );
};
