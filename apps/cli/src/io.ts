import type { Clock } from '@cloutagent/kit';
import type { Environment } from '@cloutagent/server';

/** A stream that text is written to. */
export interface Sink {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Width of the terminal in characters. */
  readonly columns: number;
}

/** Everything that a command knows of the world. */
export interface Io {
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** The current folder. */
  readonly cwd: string;
  readonly environment: Environment;
  /** May stdout be coloured: a terminal, and NO_COLOR is not set. */
  readonly colour: boolean;
  /** Who works here; shown in leases. */
  readonly user: string;
  readonly clock: Clock;
  /** Calls back when nobody reads stdout any more (`clout … | head`). Returns the function that stops listening. */
  onOutputClosed(handler: () => void): () => void;
  /** Calls back at the first SIGINT, SIGTERM or SIGHUP; a second SIGINT or SIGTERM ends the process at once. Returns the function that stops listening. */
  onInterrupt(handler: () => void): () => void;
  /** Lines of stdin as they are entered; `prompt` stands before each on a terminal. Ends with stdin, or with the returned function. */
  readLines(prompt: string): AsyncIterable<string> & { close(): void };
  /** Reads stdin away and calls back at its end. */
  onStdinEnd(handler: () => void): void;
}
