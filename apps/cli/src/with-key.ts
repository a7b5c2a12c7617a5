import { CloutError, codeOf } from '@cloutagent/contract';
import type { Context } from './context.ts';
import type { Session } from './session.ts';

/** A command that owns the data folder only for itself has ended by then; a server that stays needs a person. */
const OUTLAST_MS = 30_000;

/**
 * Asks for work that needs a key. The process that owns the data folder works with its own environment: where that has no key and
 * ours has one, its end is waited for, and this process takes its place.
 */
export const withKey = async <T>(context: Context, session: Session, ask: () => Promise<T>): Promise<T> => {
  try {
    return await ask();
  } catch (error) {
    if (codeOf(error) !== 'MODEL_KEY_MISSING' || session.own) throw error;
    const { ANTHROPIC_API_KEY, ANTHROPIC_API_URL } = context.io.environment;
    const { url } = session;
    if (ANTHROPIC_API_KEY || ANTHROPIC_API_URL) {
      context.output.note(`The server at ${url} has no key; waiting up to ${OUTLAST_MS / 1000} s for it to end`);
      if (await session.outlast(OUTLAST_MS)) return ask();
    }
    throw new CloutError(
      'MODEL_KEY_MISSING',
      `The server at ${url}, which owns this project's data folder, has no key`,
      {
        hint: 'The key of the server counts: start it with ANTHROPIC_API_KEY set, or run with --simulate',
        details: { url },
        cause: error,
      },
    );
  }
};
