import type { Caller } from '../run-tool.ts';

/**
 * What two requests must have in common to share anything: sessions, server instances, tasks. A token proves its
 * bearer; those without one are told apart by name, and nobody shares with a caller of other rights or another place.
 */
export const callerKey = ({ principal, local }: Caller): string =>
  `${principal.tokenId ?? ''}\0${principal.name}\0${principal.scopes.join(' ')}\0${local ? 'local' : 'remote'}`;
