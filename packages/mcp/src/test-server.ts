import { codeOf, type McpTestStep } from '@cloutagent/contract';
import { messageOf, stderrOf } from './call-error.ts';
import type { HttpDeps } from './http.ts';
import { openServer } from './open.ts';
import type { Target } from './target.ts';

/**
 * Starts or calls a server, shakes hands, lists its tools and ends it again, and tells each step as it is done. The last step
 * is `done` or `failed`; nothing is left running either way. Throws only the signal's reason.
 */
export const testServer = async (
  target: Target,
  deps: HttpDeps,
  options: { readonly signal?: AbortSignal; readonly emit: (step: McpTestStep) => void },
): Promise<McpTestStep> => {
  const { signal, emit } = options;
  const start = deps.clock.monotonic();
  const ms = (): number => Math.round(deps.clock.monotonic() - start);
  const say = (step: McpTestStep): McpTestStep => {
    emit(step);
    return step;
  };
  try {
    const connection = await openServer(target, deps, {
      signal,
      onStarted: () =>
        say(
          target.transport === 'stdio'
            ? { step: 'spawn', command: [target.command, ...target.args].join(' '), ms: ms() }
            : { step: 'connect', url: target.url, ms: ms() },
        ),
      onInitialized: ({ protocolVersion, era, serverInfo }) =>
        say({
          step: 'initialize',
          protocolVersion,
          era,
          ...(serverInfo === undefined ? {} : { serverInfo }),
          ms: ms(),
        }),
    });
    try {
      say({ step: 'tools/list', tools: connection.tools().map((tool) => structuredClone(tool)), ms: ms() });
    } finally {
      await connection.close();
    }
    return say({ step: 'done', success: true, ms: ms() });
  } catch (error) {
    signal?.throwIfAborted();
    return say({
      step: 'failed',
      success: false,
      error: messageOf(error),
      code: codeOf(error) ?? 'INTERNAL_ERROR',
      stderr: stderrOf(error),
      ms: ms(),
    });
  }
};
