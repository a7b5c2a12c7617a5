import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Outlet, useLocation, useRouter } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { api } from '../api/client.ts';
import { needsLogin } from '../api/error.ts';
import { changesQuery, metaQuery, runsQuery } from '../api/queries.ts';
import { ProblemBox } from '../ui/problem-box.tsx';
import { toActions, type Effect } from './actions.ts';
import { AlertNotice } from './alert-notice.tsx';
import { useAuthGate } from './auth-gate.tsx';
import { LoginPanel } from './login-panel.tsx';
import { Palette } from './palette.tsx';
import { ShortcutSheet } from './shortcut-sheet.tsx';
import { setTheme } from './theme.ts';
import { TopBar } from './top-bar.tsx';
import { useShortcuts } from './use-shortcuts.ts';

type Overlay = 'palette' | 'shortcuts' | undefined;

/** What stands around every page: the bar, the palette, the shortcuts, the log-in panel. */
export const Shell = () => {
  const router = useRouter();
  const queries = useQueryClient();
  const path = useLocation({ select: (location) => location.pathname });
  const gate = useAuthGate();
  const [overlay, setOverlay] = useState<Overlay>();
  const meta = useQuery(metaQuery());
  const changes = useQuery(changesQuery());
  const runs = useQuery(runsQuery());

  const actions = useMemo(
    () => toActions({ path, changes: changes.data?.items ?? [], runs: runs.data?.items ?? [] }),
    [path, changes.data, runs.data],
  );
  const { ask } = gate;
  const perform = useCallback(
    (effect: Effect) => {
      if (effect.kind === 'theme') setTheme(effect.theme);
      else if (effect.kind === 'login') ask({});
      else if (effect.kind === 'logout') void api.call('logout').then(() => queries.invalidateQueries());
      else if (effect.kind === 'go') {
        const search = new URLSearchParams(effect.search).toString();
        router.history.push(search === '' ? effect.to : `${effect.to}?${search}`);
      } else setOverlay(effect.kind);
    },
    [ask, queries, router],
  );
  useShortcuts(actions, perform);
  const main = useRef<HTMLElement>(null);
  const shown = useRef(path);
  useEffect(() => {
    // What had the focus went with the page before, so that a screen reader would start at the top again.
    if (shown.current !== path && document.activeElement === document.body) main.current?.focus();
    shown.current = path;
  }, [path]);

  return (
    <>
      <a
        href="#main"
        className="sr-only z-50 rounded-md bg-ink px-3 py-2 text-bg focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to content
      </a>
      <TopBar
        meta={meta.data}
        onPalette={() => setOverlay('palette')}
        onShortcuts={() => setOverlay('shortcuts')}
        onLogin={() => gate.ask({})}
      />
      {meta.data === undefined ? null : <AlertNotice root={meta.data.project.root} />}
      <main ref={main} id="main" tabIndex={-1} className="outline-none">
        {meta.error === null ? null : (
          <div className="mx-auto max-w-[1160px] px-4 pt-5 sm:px-6">
            <ProblemBox error={meta.error} retrying={meta.isFetching} onRetry={() => void meta.refetch()} />
            {needsLogin(meta.error) ? (
              <button
                type="button"
                onClick={() => gate.ask({})}
                className="mt-2 font-medium text-accent underline underline-offset-2"
              >
                Log in with a token
              </button>
            ) : null}
          </div>
        )}
        <Outlet />
      </main>
      {gate.request === undefined ? null : <LoginPanel request={gate.request} />}
      {overlay === 'palette' ? (
        <Palette actions={actions} onClose={() => setOverlay(undefined)} perform={perform} />
      ) : null}
      {overlay === 'shortcuts' ? <ShortcutSheet actions={actions} onClose={() => setOverlay(undefined)} /> : null}
    </>
  );
};
