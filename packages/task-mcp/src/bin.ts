import { userInfo } from 'node:os';
import { CloutError, codeOf, PRODUCT_VERSION } from '@cloutagent/contract';
import type { Log } from '@cloutagent/http';
import { systemClock, toIso } from '@cloutagent/kit';

const HELP = `task-mcp ${PRODUCT_VERSION}: OpenSpec changes for MCP clients

usage: task-mcp            MCP on standard input and output
       task-mcp --http     seed protocol and MCP on http://HOST:PORT (POST /sse, POST /mcp)
       task-mcp --help

environment: WORKING_DIRECTORY (project root or its openspec folder), PORT (8443), HOST (127.0.0.1),
             AUTH_TOKENS, ADMIN_TOKENS, ALLOWED_ORIGINS (each comma-separated), MAX_RESPONSE_SIZE_KB (1024),
             LOG_LEVEL (trace, debug, info, warn, error, silent; info)
`;

/** Requests get this long to end when the process is told to stop. */
const DRAIN_MS = 10_000;
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'];

const shown = (value: unknown): unknown =>
  value instanceof Error ? { message: value.message, code: codeOf(value), cause: shown(value.cause) } : value;

/** One JSON line per event on stderr; stdout belongs to the protocol. */
const stderrLog = (minimum: string): Log => {
  const from = LEVELS.includes(minimum) ? LEVELS.indexOf(minimum) : LEVELS.indexOf('info');
  return (level, message, fields = {}) => {
    if (LEVELS.indexOf(level) < from) return;
    const members = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, shown(value)]));
    process.stderr.write(`${JSON.stringify({ time: toIso(systemClock.now()), level, message, ...members })}\n`);
  };
};

const numberOf = (name: string, text: string | undefined, fallback: number, maximum: number): number => {
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= maximum) return value;
  throw new CloutError('VALIDATION_ERROR', `${name} must be a whole number from 0 to ${maximum}`);
};

const listOf = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

const main = async (args: readonly string[]): Promise<void> => {
  const { env } = process;
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(HELP);
    return;
  }
  const unknown = args.find((arg) => arg !== '--http' && arg !== '--stdio');
  if (unknown !== undefined)
    throw new CloutError('VALIDATION_ERROR', `Unknown option ${unknown}`, { hint: 'task-mcp --help' });
  const http = args.includes('--http');
  const log = stderrLog(env['LOG_LEVEL'] ?? 'info');
  const [{ openProject }, { createTaskMcp }] = await Promise.all([
    import('@cloutagent/openspec'),
    import('./task-mcp.ts'),
    // Needed in any case: loading it beside the rest makes the first answer earlier.
    http ? import('@cloutagent/http') : import('./mcp/stdio.ts'),
  ]);
  const project = await openProject(env['WORKING_DIRECTORY'] ?? process.cwd(), {
    clock: systemClock,
    caller: userInfo().username,
  });
  const taskMcp = createTaskMcp({
    project,
    log,
    clock: systemClock,
    version: PRODUCT_VERSION,
    maxResponseBytes: numberOf('MAX_RESPONSE_SIZE_KB', env['MAX_RESPONSE_SIZE_KB'], 1024, 1024 * 1024) * 1024,
  });
  if (!http) {
    await taskMcp.handleStdio(process.stdin, process.stdout);
    return;
  }
  const { createFront } = await import('@cloutagent/http');
  const front = createFront({
    routes: taskMcp.routes,
    tokens: { user: listOf(env['AUTH_TOKENS']), admin: listOf(env['ADMIN_TOKENS']) },
    allowedOrigins: listOf(env['ALLOWED_ORIGINS']),
    clock: systemClock,
    log,
  });
  const stopped = new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  const { url } = await front.listen({
    port: numberOf('PORT', env['PORT'], 8443, 65_535),
    host: env['HOST'] ?? '127.0.0.1',
  });
  log('info', 'listening', { url });
  await stopped;
  await front.drain(DRAIN_MS);
};

process.stderr.on('error', () => undefined);
try {
  await main(process.argv.slice(2));
} catch (error) {
  const known = error instanceof CloutError ? `${error.code}: ${error.message}. ${error.hint}` : String(error);
  process.stderr.write(`task-mcp: ${known}\n`);
  process.exitCode = 1;
}
