import { codeOf, errorSpec } from '@cloutagent/contract';
import type { Log } from '@cloutagent/http';

/**
 * A tool that failed, for the log. What its caller did wrong is told to the caller and is a debug line: whoever calls
 * must not be able to fill the log.
 */
export const logFailure = (log: Log, fields: Readonly<Record<string, unknown>> & { readonly error: unknown }): void => {
  const ours = errorSpec(codeOf(fields.error) ?? 'INTERNAL_ERROR').status >= 500;
  log(ours ? 'warn' : 'debug', 'tool failed', { ns: 'task-mcp:tool', ...fields });
};
