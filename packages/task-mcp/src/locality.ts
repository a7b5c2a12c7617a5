import { isLoopback, type RequestContext } from '@cloutagent/http';

/** Callers on this machine can open the paths that they are given. */
export const isLocal = ({ remoteAddress }: RequestContext): boolean => isLoopback(remoteAddress);
