import { userInfo } from 'node:os';
import { CloutError, codeOf, errorSpec, PRODUCT_VERSION, toErrorBody } from '@cloutagent/contract';
import {
  debugNames,
  readFrontSettings,
  tokenTable,
  wholeNumber,
  type FrontSettings,
  type Log,
  type TokenTable,
} from '@cloutagent/http';
import { systemClock, toIso } from '@cloutagent/kit';
import type { TaskMcp } from './task-mcp.ts';

const HELP = `task-mcp ${PRODUCT_VERSION}: OpenSpec changes for MCP clients

usage: task-mcp            MCP on standard input and output
       task-mcp --http     seed protocol and MCP on http://HOST:PORT (POST /sse, POST /mcp)
       task-mcp --help

environment: WORKING_DIRECTORY (project root or its openspec folder), PORT (8443), HOST (127.0.0.1),
             AUTH_TOKENS, ADMIN_TOKENS, ALLOWED_ORIGINS, TRUSTED_PROXIES (each comma-separated),
             RATE_LIMIT (60), RATE_LIMIT_BURST (90), RATE_LIMIT_WINDOW_MS (60000), ENABLE_DISTRIBUTED_RATE_LIMIT,
             REDIS_URL, REQUEST_TIMEOUT_MS (30000), MAX_RESPONSE_SIZE_KB (1024), SECURITY_HEADERS_ENABLED (true),
             TLS_CERT_FILE, TLS_KEY_FILE, METRICS_BIND, AUDIT_LOG (a file, stderr or off; stderr),
             LOG_LEVEL (trace, debug, info, warn, error, silent; info), DEBUG (task-mcp:*), NODE_ENV (production)
`;

/** Requests get this long to end when the process is told to stop. */
const DRAIN_MS = 10_000;
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'];

const shown = (value: unknown): unknown =>
  value instanceof Error ? { message: value.message, code: codeOf(value), cause: shown(value.cause) } : value;

const toLine = (value: Readonly<Record<string, unknown>>): string =>
  JSON.stringify(Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shown(member)])));

/** One JSON line per event on stderr; stdout belongs to the protocol. */
const stderrLog = (minimum: string, isWanted: (name: string) => boolean): Log => {
  const from = LEVELS.includes(minimum) ? LEVELS.indexOf(minimum) : LEVELS.indexOf('info');
  // `DEBUG=task-mcp:error,task-mcp:warn` of the seed names levels.
  const levels = new Set(LEVELS.filter((level, index) => index >= from || isWanted(`task-mcp:${level}`)));
  return (level, message, fields = {}) => {
    const { ns } = fields;
    if (!levels.has(level) && !(typeof ns === 'string' && isWanted(ns))) return;
    process.stderr.write(`${toLine({ time: toIso(systemClock.now()), level, message, ...fields })}\n`);
  };
};

/** The settings of a front with digests in the place of the tokens, which nobody needs any more. */
type Settings = Omit<FrontSettings, 'tokens'> & { readonly tokens: TokenTable };

const readSettings = async (env: NodeJS.ProcessEnv): Promise<Settings> => {
  const { tokens, ...settings } = await readFrontSettings(env);
  return { ...settings, tokens: tokenTable(tokens) };
};

/** Serves until the process is told to stop; a second signal ends it at once. */
const serve = async (env: NodeJS.ProcessEnv, taskMcp: TaskMcp, settings: Settings, log: Log): Promise<void> => {
  const [{ createFront, openAudit }, { serveMetrics }] = await Promise.all([
    import('@cloutagent/http'),
    import('./metrics-server.ts'),
  ]);
  const target = env['AUDIT_LOG'] || 'stderr';
  const audit = target === 'off' ? undefined : openAudit(target, log);
  const { metricsBind, maxResponseBytes: _, ...options } = settings;
  const front = createFront({
    ...options,
    routes: taskMcp.routes,
    clock: systemClock,
    log,
    ...(audit === undefined ? {} : { audit: audit.write }),
  });
  const stopped = new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  const { url } = await front.listen({
    port: wholeNumber(env, 'PORT', 8443, { max: 65_535 }),
    host: env['HOST'] || '127.0.0.1',
  });
  const metrics = await serveMetrics(metricsBind, () => front.stats(), { clock: systemClock, log });
  log('info', 'listening', { url, ...(metrics === undefined ? {} : { metrics: metrics.url }) });
  await stopped;
  await Promise.all([front.drain(DRAIN_MS), metrics?.close()]);
  await audit?.flush();
};

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
  const [{ keepListing, openProject }, { createTaskMcp }] = await Promise.all([
    import('@cloutagent/openspec'),
    import('./task-mcp.ts'),
    // Needed in any case: loading it beside the rest makes the first answer earlier.
    http ? undefined : import('./mcp/stdio.ts'),
  ]);
  const log = stderrLog(env['LOG_LEVEL'] ?? 'info', debugNames(env['DEBUG']));
  const settings = await readSettings(env);
  const folder = env['WORKING_DIRECTORY'] ?? process.cwd();
  const deps = { clock: systemClock, caller: userInfo().username };
  await using project = keepListing(await openProject(folder, deps));
  const taskMcp = createTaskMcp({
    project,
    log,
    clock: systemClock,
    version: PRODUCT_VERSION,
    maxResponseBytes: settings.maxResponseBytes,
  });
  if (!http) {
    await taskMcp.handleStdio(process.stdin, process.stdout);
    return;
  }
  await serve(env, taskMcp, settings, log);
};

/** What the system says of an address that cannot be had, in words. */
const explained = (error: unknown): unknown => {
  if (!(error instanceof Error) || !('syscall' in error) || error.syscall !== 'listen') return error;
  return new CloutError('VALIDATION_ERROR', `The address cannot be had: ${error.message}`, {
    hint: 'Choose another with PORT and HOST',
    cause: error,
  });
};

process.stderr.on('error', () => undefined);
try {
  await main(process.argv.slice(2));
} catch (error) {
  const { code, message, hint } = toErrorBody(explained(error));
  const known = code === 'INTERNAL_ERROR' ? String(error) : `${code}: ${message}. ${hint}`;
  process.stderr.write(`task-mcp: ${known}\n`);
  process.exitCode = errorSpec(code).exit;
}
