import type { ChangeSummary, Run } from '@cloutagent/contract';
import type { Theme } from './theme.ts';

export type Effect =
  | { readonly kind: 'go'; readonly to: string; readonly search?: Readonly<Record<string, string>> }
  | { readonly kind: 'theme'; readonly theme: Theme }
  | { readonly kind: 'shortcuts' | 'login' | 'logout' | 'palette' };

/** Something that can be done from anywhere, by name or by keys. */
export interface Action {
  readonly id: string;
  readonly group: 'Here' | 'Go to' | 'Changes' | 'Runs' | 'Settings';
  readonly title: string;
  readonly note?: string;
  /** Keys pressed one after another, such as `g c`. */
  readonly keys?: string;
  readonly effect: Effect;
}

/** Newest runs that the palette offers; older ones are on their change's page. */
const MAX_RUNS = 30;

const pathOf = (...parts: readonly string[]): string => `/${parts.map((part) => encodeURIComponent(part)).join('/')}`;

const changeActions = (slug: string): readonly Action[] => {
  const to = pathOf('changes', slug);
  const here = (id: string, title: string, keys: string, search: Readonly<Record<string, string>>): Action => ({
    id,
    group: 'Here',
    title,
    keys,
    effect: { kind: 'go', to, search },
  });
  return [
    here('run', 'Run this change', 'r', { panel: 'run' }),
    here('plan', 'Plan: show the price tag', 'p', { tab: 'price' }),
    here('archive', 'Archive this change', 'a', { panel: 'archive' }),
    here('tab-tasks', 'Show tasks', '1', { tab: 'tasks' }),
    here('tab-spec', 'Show spec', '2', { tab: 'spec' }),
    here('tab-price', 'Show price tag', '3', { tab: 'price' }),
    here('tab-runs', 'Show runs', '4', { tab: 'runs' }),
  ];
};

const runActions = (run: Run): readonly Action[] => {
  const to = pathOf('runs', run.id);
  const actions: Action[] = [
    { id: 'run-follow', group: 'Here', title: 'Follow the run', keys: 'f', effect: { kind: 'go', to } },
    {
      id: 'run-change',
      group: 'Here',
      title: 'Go to the change of this run',
      keys: 'u',
      effect: { kind: 'go', to: pathOf('changes', run.slug) },
    },
  ];
  if (run.status === 'paused' || run.status === 'interrupted') {
    actions.unshift({
      id: 'run-resume',
      group: 'Here',
      title: 'Resume this run',
      keys: 'r',
      effect: { kind: 'go', to, search: { panel: 'resume' } },
    });
  }
  if (run.status === 'running' || run.status === 'paused' || run.status === 'interrupted') {
    actions.push({
      id: 'run-cancel',
      group: 'Here',
      title: 'Cancel this run',
      effect: { kind: 'go', to, search: { panel: 'cancel' } },
    });
  }
  return actions;
};

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

export interface ActionSources {
  readonly path: string;
  readonly changes: readonly ChangeSummary[];
  readonly runs: readonly Run[];
}

/** Everything that can be done from this page, what belongs to the page first. */
export const toActions = ({ path, changes, runs }: ActionSources): readonly Action[] => {
  const [, place, name] = path.split('/');
  const here = decode(name ?? '');
  const run = place === 'runs' ? runs.find((candidate) => candidate.id === here) : undefined;
  return [
    ...(place === 'changes' && here !== '' ? changeActions(here) : []),
    ...(run === undefined ? [] : runActions(run)),
    { id: 'changes', group: 'Go to', title: 'Changes', keys: 'g c', effect: { kind: 'go', to: '/' } },
    {
      id: 'attention',
      group: 'Go to',
      title: 'Changes that need attention',
      keys: 'g a',
      effect: { kind: 'go', to: '/', search: { view: 'attention' } },
    },
    { id: 'costs', group: 'Go to', title: 'Costs and budgets', keys: 'g b', effect: { kind: 'go', to: '/costs' } },
    {
      id: 'limit',
      group: 'Go to',
      title: 'Set a limit of costs',
      effect: { kind: 'go', to: '/costs', search: { panel: 'limit' } },
    },
    {
      id: 'open',
      group: 'Go to',
      title: 'Open a change',
      keys: 'n',
      effect: { kind: 'go', to: '/', search: { panel: 'open' } },
    },
    ...changes.map((change): Action => ({
      id: `change:${change.slug}`,
      group: 'Changes',
      title: change.title,
      note: change.slug,
      effect: { kind: 'go', to: pathOf('changes', change.slug) },
    })),
    ...runs.slice(0, MAX_RUNS).map((entry): Action => ({
      id: `run:${entry.id}`,
      group: 'Runs',
      title: entry.title,
      note: `${entry.status}${entry.simulated ? ', simulated' : ''} · ${entry.id.slice(-8)}`,
      effect: { kind: 'go', to: pathOf('runs', entry.id) },
    })),
    {
      id: 'theme-system',
      group: 'Settings',
      title: 'Theme: as the system',
      effect: { kind: 'theme', theme: 'system' },
    },
    { id: 'theme-light', group: 'Settings', title: 'Theme: light', effect: { kind: 'theme', theme: 'light' } },
    { id: 'theme-dark', group: 'Settings', title: 'Theme: dark', effect: { kind: 'theme', theme: 'dark' } },
    { id: 'shortcuts', group: 'Settings', title: 'Keyboard shortcuts', keys: '?', effect: { kind: 'shortcuts' } },
    { id: 'login', group: 'Settings', title: 'Log in with a token', effect: { kind: 'login' } },
    { id: 'logout', group: 'Settings', title: 'Log out', effect: { kind: 'logout' } },
  ];
};

/** Actions whose title or note has every word of the query. */
export const filterActions = (actions: readonly Action[], query: string): readonly Action[] => {
  const words = query
    .toLowerCase()
    .split(/\s+/u)
    .filter((word) => word !== '');
  return actions.filter((action) => {
    const text = `${action.title} ${action.note ?? ''} ${action.group}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
};
