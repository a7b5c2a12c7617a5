import type { Command } from 'commander';
import type { Io } from './io.ts';
import type { Output } from './output.ts';

/** What a command is given. */
export interface Context {
  readonly io: Io;
  readonly output: Output;
  /** `--cwd`, where it was given. */
  cwd(): string | undefined;
  /** Makes an action of a function that returns the exit code, 0 where it returns none. */
  action<A extends unknown[]>(run: (...args: A) => Promise<number | undefined>): (...args: A) => Promise<void>;
}

/** Adds a command, or a group of them, to the program. */
export type Register = (program: Command, context: Context) => void;
