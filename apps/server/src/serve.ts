import { CloutError, PRODUCT_VERSION } from '@cloutagent/contract';
import { warmModels } from '@cloutagent/engine';
import { createFront, isLoopback, openAudit, type Front } from '@cloutagent/http';
import { systemClock, toIso } from '@cloutagent/kit';
import { lockDataFolder } from '@cloutagent/store';
import { createTaskMcp, serveMetrics } from '@cloutagent/task-mcp';
import { archiveChange } from '@cloutagent/openspec';
import { stat } from 'node:fs/promises';
import { approvalHandlers } from './api/approvals.ts';
import { bindRoutes } from './api/bind.ts';
import { agentHandlers } from './api/agents.ts';
import { changeHandlers } from './api/changes.ts';
import { costHandlers } from './api/costs.ts';
import { mcpHandlers } from './api/mcp.ts';
import { proofRoute } from './api/proof.ts';
import { runHandlers } from './api/runs.ts';
import { sessionHandlers } from './api/session.ts';
import { workflowHandlers } from './api/workflows.ts';
import { readSettings, resolveDataDir, type Environment } from './config.ts';
import { adminToken, prepareDataFolder, removeServerFile, watchDataFolder, writeServerFile } from './data-folder.ts';
import { giveMemoryBack } from './give-back.ts';
import type { Log } from './log.ts';
import { openWorkbench, type Workbench } from './workbench.ts';

export interface ServerOptions {
  /** Project root. */
  readonly root: string;
  readonly port: number;
  readonly host: string;
  readonly environment: Environment;
  /** Name of the user of this machine: whoever calls without a token, or with this folder's own, acts under it. */
  readonly user: string;
  readonly log: Log;
  /** Program and arguments that start the simulator; `--port`, `--log` and `--exit-with-stdin` are added. */
  readonly simulatorCommand: readonly [string, ...string[]];
  /** Folder of the built page; without it only the API is served. */
  readonly assets?: string;
  /** Continue the runs that a crash interrupted. A command that only borrows the data folder leaves them alone. */
  readonly resumeInterrupted?: boolean;
  /** One command serves itself for as long as it runs: no TLS, no address for metrics. */
  readonly borrowed?: boolean;
}

export interface RunningServer {
  readonly url: string;
  /** The administrator's token. */
  readonly token: string;
  readonly keySet: boolean;
  /** Ends streams, lets requests finish, leaves every run resumable, gives the data folder back. */
  close(): Promise<void>;
}

/** Time that open requests get when the server stops. */
const DRAIN_MS = 10_000;

const routesOf = (bench: Workbench, maxResponseBytes: number) => {
  const taskMcp = createTaskMcp({
    project: bench.project,
    archive: (slug, { project, ...options }) =>
      archiveChange(project, { slug, ...options, ...bench.archiving(project, options.allowIncomplete === true) }),
    clock: systemClock,
    version: PRODUCT_VERSION,
    maxResponseBytes,
    log: bench.log,
  });
  const api = bindRoutes({
    ...approvalHandlers(bench),
    ...changeHandlers(bench),
    ...runHandlers(bench),
    ...sessionHandlers(bench),
    ...costHandlers(bench),
    ...mcpHandlers(bench.mcp),
    ...agentHandlers(bench),
    ...workflowHandlers(bench),
  });
  return [...taskMcp.routes, ...api];
};

/** Nothing is created where the folder is a typo. */
const requireFolder = async (root: string): Promise<void> => {
  const found = await stat(root).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    throw new CloutError('PROJECT_NOT_FOUND', `${root} is no folder`, {
      hint: 'Name an existing folder with --cwd DIR or WORKING_DIRECTORY',
    });
  }
};

/**
 * Takes the data folder and serves UI, API and Task MCP on one port.
 * Errors: PROJECT_NOT_FOUND, DATA_FOLDER_IN_USE, VALIDATION_ERROR (configuration), STORAGE_*, and the system's own when the port is taken.
 */
export const startServer = async (options: ServerOptions): Promise<RunningServer> => {
  await requireFolder(options.root);
  const dataDir = resolveDataDir(options.root, options.environment);
  await prepareDataFolder(dataDir);
  const settings = await readSettings(dataDir, options.environment);
  if (!isLoopback(options.host) && settings.front.tokens.user.length + settings.front.tokens.admin.length === 0) {
    throw new CloutError('FORBIDDEN', `Listening on ${options.host} without tokens would let everybody in`, {
      hint: 'Set AUTH_TOKENS or ADMIN_TOKENS, or listen on 127.0.0.1',
    });
  }
  const lock = await lockDataFolder(dataDir);
  let bench: Workbench | undefined;
  let front: Front | undefined;
  let metrics: Awaited<ReturnType<typeof serveMetrics>>;
  const audit = settings.auditLog === undefined ? undefined : openAudit(settings.auditLog, options.log);
  let stopGivingBack: (() => void) | undefined;
  const close = async (): Promise<void> => {
    stopGivingBack?.();
    await Promise.all([front?.drain(DRAIN_MS), metrics?.close(), bench?.owner.stop()]);
    await audit?.flush();
    await bench?.close();
    await removeServerFile(dataDir, process.pid);
    await lock.release();
  };
  try {
    const token = await adminToken(dataDir);
    const { metricsBind, maxResponseBytes, tls, ...frontOptions } = settings.front;
    const tokens = { user: frontOptions.tokens.user, admin: [...frontOptions.tokens.admin, token] };
    const requireData = await watchDataFolder(dataDir);
    bench = await openWorkbench({
      ...options,
      dataDir,
      requireData,
      settings,
      ownToken: token,
      clock: systemClock,
    });
    let address = '';
    const served = createFront({
      ...frontOptions,
      // A command that borrows the data folder speaks to nobody but itself.
      ...(tls === undefined || options.borrowed === true ? {} : { tls }),
      ...(audit === undefined ? {} : { audit: audit.write }),
      routes: [...routesOf(bench, maxResponseBytes), proofRoute(token, () => address)],
      tokens,
      clock: systemClock,
      log: options.log,
      ...(options.assets === undefined ? {} : { assets: options.assets }),
    });
    front = served;
    const { url } = await served.listen({ port: options.port, host: options.host });
    address = url;
    if (options.borrowed !== true) {
      stopGivingBack = giveMemoryBack();
      metrics = await serveMetrics(metricsBind, served.stats, { clock: systemClock, log: options.log });
    }
    await writeServerFile(dataDir, {
      pid: process.pid,
      url,
      startedAt: toIso(systemClock.now()),
      version: PRODUCT_VERSION,
    });
    if (options.resumeInterrupted === true) {
      for (const runId of await bench.store.unfinished(bench.projectId)) bench.owner.begin(runId);
      await bench.owner.wakeWaiting();
      bench.resumer.open();
    }
    if (options.borrowed !== true) void warmModels();
    return { url, token, keySet: settings.anthropic.apiKey !== undefined, close };
  } catch (error) {
    await close();
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
      throw new CloutError('VALIDATION_ERROR', `Port ${options.port} on ${options.host} is taken by another program`, {
        hint: 'Choose another with --port or PORT',
        cause: error,
      });
    }
    throw error;
  }
};
