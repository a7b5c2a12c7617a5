import { createFront } from '@cloutagent/http';
import { systemClock } from '@cloutagent/kit';
import { openProject } from '@cloutagent/openspec';
import { createTaskMcp } from '@cloutagent/task-mcp';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFixture } from './fixture/server.mjs';
import { TASKS } from './fixture/task-tools.mjs';

/** The HTTP stack of the product, over the suite's tools. */
export const serveFixture = async () => {
  const root = mkdtempSync(join(tmpdir(), 'conformance-'));
  const log = process.env['CONFORMANCE_LOG']
    ? (...line) => process.stderr.write(`${line.join(' ')}\n`)
    : () => undefined;
  const clock = systemClock;
  const project = await openProject(root, { clock, caller: 'conformance' });
  const taskMcp = createTaskMcp({ project, log, clock, version: '1.0.0', factory: makeFixture, tasks: TASKS });
  const front = createFront({
    routes: taskMcp.routes,
    tokens: { user: [], admin: [] },
    allowedOrigins: [],
    clock,
    log,
  });
  const { port } = await front.listen({ port: 0, host: '127.0.0.1' });
  return {
    url: `http://localhost:${port}/mcp`,
    close: async () => {
      front.server.closeAllConnections();
      await front.drain(0);
      rmSync(root, { recursive: true, force: true });
    },
  };
};

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { url } = await serveFixture();
  process.stdout.write(`${url}\n`);
}
