// One server of bench/task-mcp.bench.mjs in a process of its own: node task-mcp-server.mjs KIND OPTIONS
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [kind, encoded] = process.argv.slice(2);
const { project, peersDir, page, textLength } = JSON.parse(encoded ?? '{}');
const text = '- [ ] 1.1 First task\n'.repeat(textLength / 21);
const TOKEN = 'bench-token';
const quiet = () => undefined;

const peer = (name) => import(pathToFileURL(createRequire(`${peersDir}/package.json`).resolve(name)).href);
const portOf = (server) =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });

/** What nobody can do without: the token checked, the body parsed, the same object as text. */
const raw = () => {
  const known = createHash('sha256').update(TOKEN).digest();
  const answers = { 'changes.active': page, 'resource/read': { contents: [{ uri: 'change://x/tasks', text }] } };
  return portOf(
    createServer((request, response) => {
      const token = (request.headers.authorization ?? '').slice('Bearer '.length);
      if (!timingSafeEqual(createHash('sha256').update(token).digest(), known)) {
        response.writeHead(401).end();
        return;
      }
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        const body = JSON.parse(Buffer.concat(chunks).toString());
        const name = body.tool ?? body.method;
        const payload = Buffer.from(
          JSON.stringify({ id: body.id, result: answers[name] ?? { slug: body.input?.slug } }),
        );
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': payload.length }).end(payload);
      });
    }),
  );
};

const front = async (taskMcp) => {
  const { createFront } = await import('../../packages/http/dist/index.js');
  const { systemClock } = await import('../../packages/kit/dist/index.js');
  const served = createFront({
    routes: taskMcp.routes,
    tokens: { user: [TOKEN], admin: [] },
    allowedOrigins: [],
    clock: systemClock,
    log: quiet,
    maxConnections: 20_000,
  });
  return (await served.listen({ port: 0, host: '127.0.0.1' })).port;
};

/** The product on a project on disk. */
const ours = async () => {
  const { keepListing, openProject } = await import('../../packages/openspec/dist/index.js');
  const { systemClock: clock } = await import('../../packages/kit/dist/index.js');
  const { createTaskMcp } = await import('../../packages/task-mcp/dist/index.js');
  const opened = keepListing(await openProject(project, { clock, caller: 'bench' }));
  return front(
    createTaskMcp({ project: opened, log: quiet, clock, version: '1.0.0', maxResponseBytes: 4 * 1024 * 1024 }),
  );
};

/** The product's protocols over answers in memory, beside peers that answer from memory too. */
const oursInMemory = async () => {
  const { systemClock: clock } = await import('../../packages/kit/dist/index.js');
  const { taskMcpOver } = await import('../../packages/task-mcp/dist/task-mcp.js');
  const refuse = () => Promise.reject(new Error('not measured'));
  const changes = {
    root: '/',
    openspecDir: '/openspec',
    open: refuse,
    archive: refuse,
    list: () => Promise.resolve({ ...page, nextPageToken: null }),
    resources: refuse,
    read: (uri) => Promise.resolve({ uri, mimeType: 'text/markdown', text }),
    watch: () => () => undefined,
  };
  return front(taskMcpOver(changes, { log: quiet, clock, version: '1.0.0', maxResponseBytes: 4 * 1024 * 1024 }));
};

const content = [{ type: 'text', text: 'Found 50 changes' }];

/** The SDK's own handler for both eras, as its README mounts it. */
const sdk = async () => {
  const { createMcpHandler, McpServer } = await peer('@modelcontextprotocol/server');
  const { toNodeHandler } = await peer('@modelcontextprotocol/node');
  const handler = createMcpHandler(() => {
    const mcp = new McpServer({ name: 'sdk', version: '1.0.0' });
    mcp.registerTool('changes.active', { description: 'Lists' }, () => ({ content, structuredContent: page }));
    mcp.registerResource('tasks', 'change://x/tasks', {}, (uri) => ({ contents: [{ uri: uri.href, text }] }));
    return mcp;
  });
  return portOf(createServer(toNodeHandler(handler)));
};

const fastmcp = async () => {
  const { FastMCP } = await peer('fastmcp');
  const mcp = new FastMCP({ name: 'fastmcp', version: '1.0.0' });
  mcp.addTool({
    name: 'changes.active',
    description: 'Lists',
    execute: async () => ({ content: [{ type: 'text', text: JSON.stringify(page) }] }),
  });
  const port = await new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, '127.0.0.1', () => {
      const { port: found } = probe.address();
      probe.close(() => resolve(found));
    });
  });
  await mcp.start({
    transportType: 'httpStream',
    httpStream: { port, stateless: true, endpoint: '/mcp', host: '127.0.0.1' },
  });
  return port;
};

const port = await { raw, ours, oursInMemory, sdk, fastmcp }[kind]();
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  globalThis.gc?.();
  process.send({ cpu: user + system, rss: process.memoryUsage().rss });
});
process.send({ port });
// Whoever measures is gone.
process.on('disconnect', () => process.exit());
