import { constants } from 'node:fs';
import { access, opendir } from 'node:fs/promises';
import { TOOLS } from '@cloutagent/contract';
import type { Reply, Route } from '@cloutagent/http';
import { toIso, type Clock } from '@cloutagent/kit';

export interface ProbeDeps {
  /** Project root and its openspec folder, which the first change may yet have to make. */
  readonly root: string;
  readonly openspecDir: string;
  readonly clock: Clock;
  readonly version: string;
}

/** Reads one entry of the folder: what a listing needs first. */
const isReadable = async (folder: string): Promise<boolean> => {
  try {
    const dir = await opendir(folder);
    try {
      await dir.read();
    } finally {
      await dir.close();
    }
    return true;
  } catch {
    return false;
  }
};

/** A read-only file system says no here even to root. */
const isWritable = async (folder: string): Promise<boolean> => {
  try {
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const exists = async (folder: string): Promise<boolean> => {
  try {
    await access(folder);
    return true;
  } catch {
    return false;
  }
};

/** What `GET /` tells programs: seed 002 "Root Endpoint", with the endpoints and features that are there. */
const ROOT = {
  name: 'Task MCP HTTPS/SSE Server',
  security: {
    authentication: 'Bearer token and cookie-based',
    rateLimiting: 'None in this version',
    cors: 'Configurable origin whitelist',
    headers: 'CSP, frame, content type and referrer policy',
    audit: 'Structured JSON logging',
  },
  endpoints: {
    sse: 'POST /sse - Server-Sent Events',
    mcp: 'POST /mcp - Streamable HTTP (NDJSON)',
    healthz: 'GET /healthz - Liveness probe',
    readyz: 'GET /readyz - Readiness probe',
  },
  documentation: 'https://github.com/Fission-AI/OpenSpec',
  features: {
    ide_integration: true,
    resource_uris: true,
    template_system: true,
    docker_deployment: false,
    performance_monitoring: false,
  },
};

/** `/healthz`, `/readyz` and `/` (seed 002), open to callers without a token; every figure is measured when asked. */
export const probeRoutes = ({ root, openspecDir, clock, version }: ProbeDeps): readonly Route[] => {
  const started = clock.monotonic();
  const common = () => ({
    timestamp: toIso(clock.now()),
    uptime: Math.floor((clock.monotonic() - started) / 1000),
    version,
  });
  const folder = async (): Promise<string> => ((await exists(openspecDir)) ? openspecDir : root);
  const hasTools = Object.keys(TOOLS).length > 0;

  const health = async (): Promise<Reply> => {
    const filesystem = await isReadable(await folder());
    const well = filesystem && hasTools;
    const word = (ok: boolean): string => (ok ? 'pass' : 'fail');
    const { timestamp, uptime } = common();
    const checks = { filesystem: word(filesystem), tools: word(hasTools) };
    const status = well ? 'healthy' : 'unhealthy';
    return { kind: 'json', status: well ? 200 : 503, body: { status, timestamp, uptime, version, checks } };
  };

  const readiness = async (): Promise<Reply> => {
    const place = await folder();
    const filesystem = (await isReadable(place)) && (await isWritable(place));
    const ready = filesystem && hasTools;
    // The front refuses to listen where its checks could not hold, so a probe that is reached was guarded.
    const dependencies = { tools: hasTools, filesystem, security: true };
    const status = ready ? 'healthy' : 'unhealthy';
    return { kind: 'json', status: ready ? 200 : 503, body: { status, ready, ...common(), dependencies } };
  };

  const probe = (path: string, handler: Route['handler']): Route => ({ method: 'GET', path, scope: 'open', handler });
  const { name, ...rest } = ROOT;
  return [
    probe('/healthz', health),
    probe('/readyz', readiness),
    probe('/', () => ({ kind: 'json', body: { name, version, ...rest } })),
  ];
};
