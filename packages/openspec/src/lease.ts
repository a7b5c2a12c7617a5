import { CloutError } from '@cloutagent/contract';
import { toIso } from '@cloutagent/kit';
import type { Lease, Meta } from './meta.ts';
import type { Caller, Project } from './project.ts';

/** Seconds of a lease that an owner takes without saying for how long. */
export const DEFAULT_TTL_S = 3600;

const endOf = (lease: Lease): number => Date.parse(lease.since) + lease.ttl * 1000;

/** The same owner by name, or the token that took it: that one holds the lease also when it names no owner. */
export const holds = (lease: Lease, who: Caller): boolean =>
  lease.owner === who.caller || (lease.tokenId !== undefined && lease.tokenId === who.tokenId);

/** @throws CHANGE_LOCKED while somebody else's lease lasts, with owner and expiry in `details` */
export const assertFree = (project: Project, slug: string, meta: Meta, who: Caller = project): void => {
  const { lease } = meta;
  if (lease === undefined || holds(lease, who)) return;
  // A clock that was set back does not make it longer than it was taken for.
  const left = Math.min(endOf(lease) - project.clock.now(), lease.ttl * 1000);
  if (left <= 0) return;
  const expiresAt = toIso(endOf(lease));
  throw new CloutError('CHANGE_LOCKED', `Change '${slug}' is held by ${lease.owner} until ${expiresAt}`, {
    details: { slug, owner: lease.owner, since: lease.since, ttl: lease.ttl, expires_at: expiresAt },
    retryAfter: Math.ceil(left / 1000),
  });
};

/** The lease that an input asks for: an owner or a ttl is enough, neither means none. */
export const newLease = (
  project: Project,
  { owner, ttl }: { readonly owner?: string | undefined; readonly ttl?: number | undefined },
): Lease | undefined => {
  if (owner === undefined && ttl === undefined) return undefined;
  return {
    owner: owner ?? project.caller,
    since: toIso(project.clock.now()),
    ttl: ttl ?? DEFAULT_TTL_S,
    ...(project.tokenId === undefined ? {} : { tokenId: project.tokenId }),
  };
};
