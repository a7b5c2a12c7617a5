import type { Transport } from '@modelcontextprotocol/client';

/** A way to one server: the SDK's transport and what we know of the far end. */
export interface Link {
  readonly transport: Transport;
  readonly pid: number | undefined;
  /** Why we gave the far end up, where that is so. */
  fault(): string | undefined;
  /** The end of what it wrote to stderr. */
  stderr(): string;
  /** Resolves once, with the reason, when the far end is gone for good. */
  readonly ended: Promise<string>;
  /** Ends it, whole groups; safe to call again. */
  stop(): Promise<void>;
}
