import type { LimitRule } from '@cloutagent/kit';

/** Milliseconds of the requests of the last 5 to 10 minutes, ±5 %; null where there were none. */
export interface Latency {
  readonly count: number;
  readonly errors: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

export interface RouteStats {
  readonly method: string;
  /** As it was declared: `/api/runs/:id`. `(assets)` and `(none)` stand for files and for addresses that do not exist. */
  readonly route: string;
  /** Since the start. */
  readonly count: number;
  /** Answers of 500 and above, since the start. */
  readonly errors: number;
  readonly sumMs: number;
  readonly recent: Latency;
}

export interface GateStats {
  readonly rule: LimitRule;
  /** Callers with something in their bucket. */
  readonly active: number;
  /** Requests refused since the start. */
  readonly blocked: number;
  /** `degraded`: Redis is lost and each process counts for itself. */
  readonly shared: 'off' | 'redis' | 'degraded';
  /** The refill is halved because the event loop is late. */
  readonly slowed: boolean;
  readonly loopDelayP99Ms: number;
}

/** What a front has measured; counts are since its start. */
export interface FrontStats {
  readonly requests: number;
  readonly errors: number;
  readonly inFlight: number;
  readonly connections: number;
  readonly streams: number;
  /** A stream counts until its first byte. */
  readonly recent: Latency;
  readonly routes: readonly RouteStats[];
  readonly auth: {
    /** Tokens that are configured, and those of them that were used. */
    readonly configured: number;
    readonly active: number;
    readonly attempts: number;
    readonly failures: number;
    /** Refused unseen because too many wrong ones had come from the address. */
    readonly blocked: number;
  };
  readonly rateLimit: GateStats | undefined;
  readonly cors: { readonly allowedOrigins: readonly string[]; readonly preflights: number };
  readonly audit: { readonly events: number };
  readonly securityHeaders: boolean;
  readonly tls: boolean;
}
