export { openAudit, type Audit } from './audit.ts';
export { AUTH_COOKIE, principalOf, tokenTable, type TokenTable } from './authenticate.ts';
export { parseJson } from './body.ts';
export { debugNames } from './debug.ts';
export { createFront } from './front.ts';
export { listOf, readFrontSettings, wholeNumber, type FrontSettings } from './settings.ts';
export { isLoopback } from './site.ts';
export { checkApiVersion } from './version.ts';
export type { FrontStats, GateStats, Latency, RouteStats } from './stats.ts';
export type {
  AuditEvent,
  FormatError,
  Front,
  FrontOptions,
  Handler,
  Log,
  RateLimitOptions,
  Reply,
  RequestContext,
  Route,
  StreamWriter,
} from './types.ts';
