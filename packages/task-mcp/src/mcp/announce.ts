import { ProtocolError, ProtocolErrorCode, type McpServer } from './sdk.ts';
import type { Log } from '@cloutagent/http';
import type { WatchChanges } from '../watch.ts';
import type { Era } from './wire.ts';

/** Resources that one client may subscribe to. */
const MAX_SUBSCRIPTIONS = 1000;

/** As editors write it, with `@task:` in front or a query behind: what changed is named plainly. */
const plain = (uri: string): string => uri.replace(/^@[\w-]{1,64}:/u, '').replace(/\?.*$/su, '');

/**
 * Lets a server tell when resources change. One client's own server tells what that client subscribed to; the one of
 * the stateless era tells all, and its transport passes on what each listener asked for; one that is shared without
 * that has nobody to tell.
 */
export const announceChanges = (
  mcp: McpServer,
  watch: WatchChanges,
  { era, own, log }: { readonly era: Era; readonly own: boolean; readonly log: Log },
): void => {
  const { server } = mcp;
  const subscribed = new Set<string>();
  const sent = (work: Promise<void>): void => {
    work.catch((error: unknown) => log('debug', 'nobody to tell of a change', { error }));
  };
  let stop: (() => void) | undefined;
  const start = (): void => {
    stop ??= watch(({ uris, listed }) => {
      if (listed) sent(server.sendResourceListChanged());
      const told = era === 'modern' ? uris : [...subscribed].filter((uri) => uris.has(plain(uri)));
      for (const uri of told) sent(server.sendResourceUpdated({ uri }));
    });
  };
  // The SDK's objects are no event targets.
  Object.assign(server, { onclose: () => stop?.() });
  if (era === 'modern') {
    start();
    return;
  }
  server.setRequestHandler('resources/subscribe', ({ params }) => {
    if (!own) throw new ProtocolError(ProtocolErrorCode.InvalidRequest, 'A subscription needs a session');
    if (subscribed.size >= MAX_SUBSCRIPTIONS) {
      throw new ProtocolError(ProtocolErrorCode.InvalidRequest, `More than ${MAX_SUBSCRIPTIONS} subscriptions`);
    }
    subscribed.add(params.uri);
    start();
    return {};
  });
  server.setRequestHandler('resources/unsubscribe', ({ params }) => {
    subscribed.delete(params.uri);
    return {};
  });
  // Before that a client is told nothing; whoever only asks something needs no watch.
  if (own) Object.assign(server, { oninitialized: start });
};
