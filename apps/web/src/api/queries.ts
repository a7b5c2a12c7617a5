import type { CostAlert, Plan, RunDetail } from '@cloutagent/contract';
import { QueryClient, queryOptions } from '@tanstack/react-query';
import { isRetryable } from './error.ts';
import { api } from './client.ts';

/** Lists ask for the largest page: 200 rows, the server's own bound. */
const PAGE = 200;
/** A list that nobody streams is asked for again this often while the page is visible. */
const LIST_REFRESH_MS = 5_000;

export const createQueryClient = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 2_000,
        retry: (count, error) => count < 2 && isRetryable(error),
        refetchOnWindowFocus: true,
      },
      mutations: { retry: false },
    },
  });

export const metaQuery = () =>
  queryOptions({
    queryKey: ['meta'],
    queryFn: ({ signal }) => api.call('meta', {}, { signal }),
    refetchInterval: LIST_REFRESH_MS,
  });

export const changesQuery = () =>
  queryOptions({
    queryKey: ['changes'],
    queryFn: ({ signal }) => api.call('changesList', { query: { status: 'all', limit: PAGE } }, { signal }),
    refetchInterval: LIST_REFRESH_MS,
  });

export const changeQuery = (slug: string) =>
  queryOptions({
    queryKey: ['change', slug],
    queryFn: ({ signal }) => api.call('changeShow', { params: { slug } }, { signal }),
    refetchInterval: (query) => (query.state.error === null ? LIST_REFRESH_MS : false),
  });

export const validationQuery = (slug: string) =>
  queryOptions({
    queryKey: ['validation', slug],
    queryFn: ({ signal }) => api.call('changeValidate', { params: { slug } }, { signal }),
  });

/** `version` is whatever the price depends on: another one asks for another price. */
export const planQuery = (slug: string, simulate: boolean, version: string) =>
  queryOptions({
    queryKey: ['plan', slug, simulate, version],
    queryFn: ({ signal }) =>
      api.call('changePlan', { params: { slug }, query: { simulate: simulate ? 'true' : 'false' } }, { signal }),
    // Planning may count tokens at the model server, so it is not asked for again without need.
    staleTime: 60_000,
    // The price before an edit stands until the new one is known; never that of another change or of the simulator.
    placeholderData: (before: Plan | undefined, query) =>
      query?.queryKey[1] === slug && query.queryKey[2] === simulate ? before : undefined,
  });

export const runsQuery = (slug?: string) =>
  queryOptions({
    queryKey: ['runs', slug ?? ''],
    queryFn: ({ signal }) => api.call('runsList', { query: { limit: PAGE, slug } }, { signal }),
    refetchInterval: LIST_REFRESH_MS,
  });

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: ['run', id],
    queryFn: ({ signal }): Promise<RunDetail> => api.call('runShow', { params: { id } }, { signal }),
  });

/** What a run asks a person. */
export const approvalsQuery = (runId: string) =>
  queryOptions({
    queryKey: ['approvals', runId],
    queryFn: ({ signal }) => api.call('approvalsList', { query: { run: runId, limit: PAGE } }, { signal }),
    refetchInterval: LIST_REFRESH_MS,
  });

/** A server has one project. */
export const PROJECT = { projectId: 'default' } as const;

export const budgetsQuery = () =>
  queryOptions({
    queryKey: ['budgets'],
    queryFn: ({ signal }) => api.call('costsBudgets', { params: PROJECT, query: {} }, { signal }),
    refetchInterval: LIST_REFRESH_MS,
  });

/** What was spent in the last thirty days. */
export const costsQuery = (simulated: boolean) =>
  queryOptions({
    queryKey: ['costs', simulated],
    queryFn: ({ signal }) =>
      api.call('costsSummary', { params: PROJECT, query: { simulated: simulated ? 'true' : 'false' } }, { signal }),
    refetchInterval: LIST_REFRESH_MS,
  });

/** Alerts behind a place. Asked for rather than streamed: a browser has few connections to one server. */
export const alertsQuery = (after: number) =>
  queryOptions({
    queryKey: ['alerts', after],
    queryFn: ({ signal }) => api.call('costsAlerts', { params: PROJECT, query: { after } }, { signal }),
    refetchInterval: LIST_REFRESH_MS,
  });

/** Answers that are read one after another: two thousand alerts are more than anyone reads. */
const MAX_ANSWERS = 10;

export const allAlertsQuery = () =>
  queryOptions({
    queryKey: ['alerts', 'all'],
    queryFn: async ({ signal }): Promise<readonly CostAlert[]> => {
      const all: CostAlert[] = [];
      for (let answers = 0; answers < MAX_ANSWERS; answers += 1) {
        const after = all.at(-1)?.place ?? 0;
        const { alerts } = await api.call('costsAlerts', { params: PROJECT, query: { after } }, { signal });
        all.push(...alerts);
        if (alerts.length < PAGE) break;
      }
      return all;
    },
    refetchInterval: LIST_REFRESH_MS,
  });
