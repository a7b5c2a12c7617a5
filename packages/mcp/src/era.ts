import type { PriorDiscovery } from '@modelcontextprotocol/client';
import type { Clock } from '@cloutagent/kit';

/**
 * What a server turned out to speak, so that a reconnect asks nothing twice. A verdict `legacy` never fails by itself, even
 * after the server learned more, so it is forgotten in time.
 */
export interface EraCache {
  get(key: string): PriorDiscovery | undefined;
  set(key: string, verdict: PriorDiscovery): void;
  forget(key: string): void;
}

const TTL_MS = 15 * 60_000;
/** More servers than anybody registers; the oldest goes first. */
const MAX_ENTRIES = 500;

export const createEraCache = (clock: Clock): EraCache => {
  const entries = new Map<string, { verdict: PriorDiscovery; until: number }>();
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      if (clock.monotonic() < entry.until) return entry.verdict;
      entries.delete(key);
      return undefined;
    },
    set(key, verdict) {
      entries.delete(key);
      entries.set(key, { verdict, until: clock.monotonic() + TTL_MS });
      const [oldest] = entries.keys();
      if (entries.size > MAX_ENTRIES && oldest !== undefined) entries.delete(oldest);
    },
    forget: (key) => void entries.delete(key),
  };
};
