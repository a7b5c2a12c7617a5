// One server of bench/task-mcp.bench.mjs in a process of its own: node task-mcp-server.mjs KIND, its options as the
// first message.
import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { openPlainly } from './task-mcp-files.mjs';
import { questionOf, TASKS_URI } from './task-mcp-load.mjs';

const [kind] = process.argv.slice(2);
const [{ project, peersDir, answers, page, text }] = await once(process, 'message');
const TOKEN = 'bench-token';
const quiet = () => undefined;
const built = (name) => import(`../../packages/${name}/dist/index.js`);

const peer = (name) => import(pathToFileURL(createRequire(`${peersDir}/package.json`).resolve(name)).href);
const portOf = (server) =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });

/**
 * What nobody can do without: the token checked, the body parsed, the same answer made into text. `answers` has what
 * the product answered to each question, parsed: one object, or one for each line.
 */
const rawServer = (before) => {
  const known = createHash('sha256').update(TOKEN).digest();
  return portOf(
    createServer((request, response) => {
      const token = (request.headers.authorization ?? '').slice('Bearer '.length);
      if (!timingSafeEqual(createHash('sha256').update(token).digest(), known)) {
        response.writeHead(401).end();
        return;
      }
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      const answer = (body) => {
        const payload = Buffer.from(answers[questionOf(body)].map((line) => JSON.stringify(line)).join('\n'));
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': payload.length }).end(payload);
      };
      request.on('end', () => {
        const body = JSON.parse(Buffer.concat(chunks).toString());
        const doing = before(body);
        if (doing === undefined) answer(body);
        else void doing.then(() => answer(body));
      });
    }),
  );
};

const raw = () => rawServer(() => undefined);

const systemClock = async () => (await built('kit')).systemClock;

/** The same with the files of a change, written and synced by plain calls of the system. */
const rawWithFiles = () => {
  const write = openPlainly(project);
  return rawServer(({ tool, input }) => (tool === 'change.open' ? write(input.slug) : undefined));
};

/** The same with the library that the product calls too. */
const rawWithLibrary = async () => {
  const { openChange, openProject } = await built('openspec');
  const opened = await openProject(project, { clock: await systemClock(), caller: 'bench' });
  return rawServer(({ tool, input }) => (tool === 'change.open' ? openChange(opened, input) : undefined));
};

/** A stream that says nothing but its heartbeat. */
const events = {
  method: 'GET',
  path: '/events',
  scope: 'read',
  handler: () => ({
    kind: 'stream',
    contentType: 'text/event-stream',
    heartbeat: true,
    run: (writer) =>
      new Promise((resolve) => {
        writer.signal.addEventListener('abort', resolve, { once: true });
      }),
  }),
};

/** Every limit is on, and none is reached. */
const front = async (taskMcp, clock) => {
  const { createFront } = await built('http');
  const served = createFront({
    routes: [...taskMcp.routes, events],
    tokens: { user: [TOKEN], admin: [] },
    allowedOrigins: [],
    clock,
    log: quiet,
    maxConnections: 20_000,
    rateLimit: { rate: 1e9, windowMs: 60_000, burst: 1e9 },
    requestTimeoutMs: 30_000,
  });
  return (await served.listen({ port: 0, host: '127.0.0.1' })).port;
};

const taskMcpOptions = (clock) => ({ log: quiet, clock, version: '1.0.0', maxResponseBytes: 4 * 1024 * 1024 });

/** The product on a project on disk, as `task-mcp --http` makes it. */
const ours = async () => {
  const { keepListing, openProject } = await built('openspec');
  const { createTaskMcp } = await built('task-mcp');
  const clock = await systemClock();
  const opened = keepListing(await openProject(project, { clock, caller: 'bench' }));
  return front(createTaskMcp({ project: opened, ...taskMcpOptions(clock) }), clock);
};

/** Runs one sweep of the heartbeat; set by the server of idle streams. */
let beat = () => undefined;

/** The product's protocols over answers in memory. */
const oursInMemory = async () => {
  const { taskMcpOver } = await import('../../packages/task-mcp/dist/task-mcp.js');
  const system = await systemClock();
  const clock = {
    ...system,
    sleep: (ms, signal) =>
      ms === 25_000
        ? new Promise((resolve) => {
            beat = resolve;
          })
        : system.sleep(ms, signal),
  };
  const refuse = () => Promise.reject(new Error('not measured'));
  const changes = {
    root: '/',
    openspecDir: '/openspec',
    open: ({ slug }) =>
      Promise.resolve({
        change: Object.assign({}, page.items[0], { slug, template: 'feature' }),
        resumed: false,
        files: ['proposal.md', 'tasks.md', 'specs/spec/spec.md'],
      }),
    archive: refuse,
    list: () => Promise.resolve({ ...page, nextPageToken: null }),
    resources: refuse,
    read: (uri) => Promise.resolve({ uri, mimeType: 'text/markdown', text }),
    watch: () => () => undefined,
  };
  return front(taskMcpOver(changes, taskMcpOptions(clock)), clock);
};

/** The SDK's own handler for both eras, as its README mounts it. */
const sdk = async () => {
  const { createMcpHandler, McpServer } = await peer('@modelcontextprotocol/server');
  const { toNodeHandler } = await peer('@modelcontextprotocol/node');
  const opened = answers['legacy change.open'][0].result;
  const handler = createMcpHandler(() => {
    const mcp = new McpServer({ name: 'sdk', version: '1.0.0' });
    mcp.registerTool('changes.active', { description: 'Lists' }, () => ({
      content: [{ type: 'text', text: `Found ${page.total} changes` }],
      structuredContent: page,
    }));
    mcp.registerTool('change.open', { description: 'Opens' }, () => opened);
    mcp.registerResource('tasks', TASKS_URI, { mimeType: 'text/markdown' }, () => ({
      contents: [{ uri: TASKS_URI, mimeType: 'text/markdown', text }],
    }));
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
  const { content } = answers['legacy change.open'][0].result;
  mcp.addTool({ name: 'change.open', description: 'Opens', execute: async () => ({ content }) });
  mcp.addResource({ uri: TASKS_URI, name: 'tasks', mimeType: 'text/markdown', load: async () => ({ text }) });
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

const cpu = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/** The longest turn of the loop during a sweep, in processor time: what the neighbours do does not count. */
const sweep = async () => {
  let [last, worst] = [cpu(), 0];
  beat();
  for (let turn = 0; turn < 100; turn += 1) {
    await nextTurn();
    const now = cpu();
    [last, worst] = [now, Math.max(worst, (now - last) / 1000)];
  }
  return { sweepMs: worst };
};

/** After all that can be collected was; the processor time of that is in no other figure. */
const memory = async () => {
  for (let round = 0; round < 6; round += 1) {
    globalThis.gc?.();
    await nextTurn();
  }
  return { rss: process.memoryUsage().rss };
};

const ANSWERS = { usage: () => Promise.resolve({ cpu: cpu() }), memory, sweep };

const port = await { raw, rawWithFiles, rawWithLibrary, ours, oursInMemory, sdk, fastmcp }[kind]();
process.on('message', (question) => {
  void ANSWERS[question]().then((told) => process.send(told));
});
process.send({ port });
// Whoever measures is gone.
process.on('disconnect', () => process.exit());
