import { createFront, type FrontStats, type Log } from '@cloutagent/http';
import type { Clock } from '@cloutagent/kit';
import { metricsRoute } from './health.ts';

/** Serves `/metrics` of another front without a token, on a loopback address of its own; undefined where none is set. */
export const serveMetrics = async (
  bind: { readonly host: string; readonly port: number } | undefined,
  stats: () => FrontStats,
  deps: { readonly clock: Clock; readonly log: Log },
): Promise<{ readonly url: string; close(): Promise<void> } | undefined> => {
  if (bind === undefined) return undefined;
  const front = createFront({
    ...deps,
    routes: [metricsRoute(stats, 'open')],
    tokens: { user: [], admin: [] },
    allowedOrigins: [],
    authenticate: false,
  });
  const { url } = await front.listen(bind);
  return { url: `${url}/metrics`, close: () => front.drain(0) };
};
