import type { Implementation, McpServer } from './sdk.ts';
import type { Caller } from '../run-tool.ts';
import { MODERN_REVISION, type Era } from './wire.ts';

/**
 * What a server must be made with (`supportedProtocolVersions`) to be served in both eras: the SDK's own list and the
 * newest. Written out, because whoever only names it must not load the SDK.
 */
export const PROTOCOL_VERSIONS: string[] = [
  '2025-11-25',
  '2025-06-18',
  '2025-03-26',
  '2024-11-05',
  '2024-10-07',
  MODERN_REVISION,
];

/** How the server names itself in answers that no instance gives. */
export type ServerInfo = Implementation;

/**
 * Makes the server that answers one caller. An instance of the stateless era, and the one for callers without a
 * session, answers all requests of its caller and must keep nothing of one for another; a session has its own.
 */
export type ServerFactory = (context: {
  readonly era: Era;
  readonly caller: Caller;
  /** Set for an instance that belongs to one client from its `initialize` to its end. */
  readonly sessionId?: string;
}) => McpServer;
