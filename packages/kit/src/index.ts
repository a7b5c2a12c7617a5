export { canonicalJson } from './canonical.ts';
export { systemClock, toIso, type Clock } from './clock.ts';
export { Hub } from './hub.ts';
export { newId } from './ids.ts';
export { openLimiter, verdictOf, type Limiter, type LimitRule, type Verdict } from './limiter.ts';
export { decodeNdjson, encodeNdjson } from './ndjson.ts';
export { systemRandom } from './random.ts';
export { retryDelay, type RetryPolicy } from './retry.ts';
export { decodeSse, encodeSse, encodeSseComment, type SseEvent } from './sse.ts';
