interface Common {
  readonly id: string;
  /** Milliseconds from the start to the list of tools; 30,000. */
  readonly startMs?: number;
  /** Milliseconds that one tool call may take; 120,000. */
  readonly callMs?: number;
  /** The same for single tools. */
  readonly toolMs?: Readonly<Record<string, number>>;
  /** Values that were looked up: nothing that the server says shows them. */
  readonly secrets?: readonly string[];
}

/** A program to start: parameters are filled in and secrets looked up. */
export interface StdioTarget extends Common {
  readonly transport: 'stdio';
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Folder that it starts in. */
  readonly cwd: string;
}

/** An address to call. */
export interface RemoteTarget extends Common {
  readonly transport: 'http' | 'sse';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Networks beside the public internet: `loopback` or CIDR. */
  readonly allowNetworks: readonly string[];
}

export type Target = StdioTarget | RemoteTarget;
