import { isLoopback, type RequestContext } from '@cloutagent/http';
import type { Caller } from './run-tool.ts';

/** Callers on this machine can open the paths that they are given. */
export const isLocal = ({ remoteAddress }: RequestContext): boolean => isLoopback(remoteAddress);

/** The caller of a request. Its signal is made when a tool asks for it. */
export const callerIn = (context: RequestContext): Caller => ({
  principal: context.principal,
  local: isLocal(context),
  get signal() {
    return context.signal;
  },
  throwIfAborted: () => context.throwIfAborted(),
});
