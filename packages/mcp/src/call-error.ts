import { CloutError, codeOf } from '@cloutagent/contract';

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Code of an error of the SDK: a number is the far end's own refusal (JSON-RPC), a word is the SDK's. */
export const sdkCode = (error: unknown): string | number | undefined => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' || typeof code === 'number' ? code : undefined;
};

/** HTTP status that an error of the SDK carries. */
const statusOf = (error: unknown): number | undefined => {
  if (typeof error !== 'object' || error === null) return undefined;
  const holder = 'status' in error ? error : 'data' in error ? error.data : undefined;
  const status = typeof holder === 'object' && holder !== null && 'status' in holder ? holder.status : undefined;
  return typeof status === 'number' ? status : undefined;
};

/** An error and what caused it, outermost first. */
const chainOf = (error: unknown): unknown[] => {
  const chain: unknown[] = [];
  for (let next = error; next !== undefined && next !== null && chain.length < 10;) {
    chain.push(next);
    next = typeof next === 'object' && 'cause' in next ? next.cause : undefined;
  }
  return chain;
};

/** An error of ours that the SDK has wrapped. */
export const ourErrorIn = (error: unknown): CloutError | undefined => {
  const found = chainOf(error).find((item) => codeOf(item) !== undefined);
  return found instanceof CloutError ? found : undefined;
};

/** The server has forgotten the session, so it has done nothing (specification 2025-11-25, "Session Management"). */
export const isSessionLost = (error: unknown): boolean => {
  const message = messageOf(error);
  if (statusOf(error) === 404) return true;
  const asks = /session (?:not found|id|expired|terminated)|no valid session|not initialized|unknown session/iu;
  return (statusOf(error) === 400 || sdkCode(error) === -32_001) && asks.test(message);
};

const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** The request cannot have reached the server. */
export const wasNeverSent = (error: unknown): boolean =>
  isSessionLost(error) ||
  chainOf(error).some((item) => item instanceof Error && 'code' in item && NEVER_SENT.has(String(item.code)));

/** The end of stderr that an error of ours carries. */
export const stderrOf = (error: unknown): string => {
  const text = error instanceof CloutError ? error.details?.['stderr'] : undefined;
  return typeof text === 'string' ? text : '';
};
