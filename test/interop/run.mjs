import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile } from '../../scripts/support/compile.mjs';
import { ensureInstalled } from '../../scripts/support/install.mjs';
import { run } from '../../scripts/support/run.mjs';
import { expect } from './expect.mjs';
import { BIN, serveTaskMcp, TOKEN } from './serve.mjs';

// npm run interop: clients that others wrote open, list, read and archive a change over every transport. Words behind
// `--` choose among them by name: npm run interop -- claude stdio

const HERE = fileURLToPath(new URL('.', import.meta.url));

const install = async () => {
  const stamp = `${HERE}node_modules/.package-lock.json`;
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= statSync(`${HERE}package-lock.json`).mtimeMs) return;
  console.log('Installing the clients');
  const { code, output } = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: HERE,
    quiet: true,
  });
  if (code !== 0) throw new Error(`The clients cannot be installed:\n${output}`);
};

/** What every client does; `call` and `read` return what the server answered. */
const useClient = async ({ call, read, tools }, slug) => {
  expect(
    (await tools()).some(({ name }) => name === 'change.open'),
    'change.open is not listed',
  );
  const opened = await call('change.open', { title: 'Interop', slug, template: 'feature' });
  expect(opened.isError !== true, `open: ${JSON.stringify(opened)}`);
  const listed = await call('changes.active', {});
  expect(
    listed.structuredContent?.items?.some((item) => item.slug === slug),
    `list: ${JSON.stringify(listed)}`,
  );
  const document = await read(`change://${slug}/proposal`);
  expect(document.contents?.[0]?.text?.includes('Interop'), `read: ${JSON.stringify(document)}`);
  const archived = await call('change.archive', { slug });
  expect(archived.isError !== true, `archive: ${JSON.stringify(archived)}`);
};

const requestInit = { headers: { authorization: `Bearer ${TOKEN}` } };

/** Both SDKs have the same shape; the newer one can be told its era. */
const sdkClients = async (cwd, url) => {
  const clients = [];
  for (const [label, main, stdio, http, sse, eras] of [
    [
      'v1',
      '@modelcontextprotocol/sdk/client/index.js',
      '@modelcontextprotocol/sdk/client/stdio.js',
      '@modelcontextprotocol/sdk/client/streamableHttp.js',
      '@modelcontextprotocol/sdk/client/sse.js',
      [undefined],
    ],
    [
      'v2',
      '@modelcontextprotocol/client',
      '@modelcontextprotocol/client/stdio',
      '@modelcontextprotocol/client',
      '@modelcontextprotocol/client',
      ['legacy', 'modern'],
    ],
  ]) {
    const { Client } = await import(main);
    const { StdioClientTransport } = await import(stdio);
    const { StreamableHTTPClientTransport } = await import(http);
    const { SSEClientTransport } = await import(sse);
    const make = (transport, era) => async (slug) => {
      const negotiation = era === 'modern' ? { versionNegotiation: { mode: { pin: '2026-07-28' } } } : {};
      const client = new Client({ name: `interop-${label}`, version: '1' }, { capabilities: {}, ...negotiation });
      await client.connect(transport());
      try {
        const uses = {
          tools: async () => (await client.listTools()).tools,
          call: (name, args) => client.callTool({ name, arguments: args }),
          read: (uri) => client.readResource({ uri }),
        };
        await useClient(uses, slug);
      } finally {
        await client.close();
      }
    };
    for (const era of eras) {
      const suffix = era === undefined ? '' : ` ${era}`;
      const command = { command: process.execPath, args: [BIN], cwd, stderr: 'ignore' };
      clients.push([`${label} stdio${suffix}`, make(() => new StdioClientTransport(command), era)]);
      for (const path of ['/mcp', '/sse']) {
        const open = () => new StreamableHTTPClientTransport(new URL(`${url}${path}`), { requestInit });
        clients.push([`${label} HTTP ${path}${suffix}`, make(open, era)]);
      }
    }
    const sseOptions = {
      requestInit,
      eventSourceInit: {
        fetch: (to, init) => fetch(to, { ...init, headers: { ...init?.headers, ...requestInit.headers } }),
      },
    };
    clients.push([
      `${label} HTTP+SSE`,
      make(() => new SSEClientTransport(new URL(`${url}/sse`), sseOptions), 'legacy'),
    ]);
  }
  return clients;
};

/** The official inspector; every step is a process of its own. */
const inspectorClients = (cwd, url) => {
  const home = mkdtempSync(join(tmpdir(), 'inspector-'));
  const bin = `${HERE}node_modules/.bin/mcp-inspector`;
  const make = (target, options) => async (slug) => {
    const ask = async (...args) => {
      const child = spawn(bin, ['--cli', ...target, ...options, '--format', 'json', '-q', ...args], {
        cwd,
        env: { ...process.env, HOME: home, MCP_STORAGE_DIR: home },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      let errors = '';
      child.stdout.setEncoding('utf8').on('data', (chunk) => (output += chunk));
      child.stderr.setEncoding('utf8').on('data', (chunk) => (errors += chunk));
      const [code] = await once(child, 'close');
      expect(code === 0, `inspector ends with ${code}: ${errors}${output}`);
      const answer = JSON.parse(output);
      return answer.result ?? answer;
    };
    const uses = {
      tools: async () => (await ask('--method', 'tools/list')).tools,
      call: (name, args) =>
        ask('--method', 'tools/call', '--tool-name', name, '--tool-args-json', JSON.stringify(args)),
      read: (uri) => ask('--method', 'resources/read', '--uri', uri),
    };
    await useClient(uses, slug);
  };
  const header = ['--header', `Authorization: Bearer ${TOKEN}`];
  return [
    ['inspector stdio', make([process.execPath, BIN], [])],
    ['inspector HTTP legacy', make([`${url}/mcp`], [...header, '--transport', 'http', '--protocol-era', 'legacy'])],
    ['inspector HTTP modern', make([`${url}/mcp`], [...header, '--transport', 'http', '--protocol-era', 'modern'])],
    ['inspector HTTP+SSE', make([`${url}/sse`], [...header, '--transport', 'sse'])],
  ];
};

if (!(await ensureInstalled()) || !(await compile())) process.exit(1);
await install();
const cwd = mkdtempSync(join(tmpdir(), 'interop-'));
const server = await serveTaskMcp(cwd);
let failed = 0;
try {
  const { claudeCodeClients } = await import('./claude-code.mjs');
  const words = process.argv.slice(2).map((word) => word.toLowerCase());
  const clients = [
    ...(await sdkClients(cwd, server.url)),
    ...inspectorClients(cwd, server.url),
    ...claudeCodeClients(cwd, server.url, { bin: BIN, token: TOKEN }),
  ].filter(([name]) => words.every((word) => name.toLowerCase().includes(word)));
  for (const [index, [name, use]] of clients.entries()) {
    try {
      await use(`interop-${index}`);
      console.log(`ok      ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  console.log(`${clients.length - failed} of ${clients.length} clients`);
} finally {
  await server.stop();
  rmSync(cwd, { recursive: true, force: true });
}
process.exitCode = failed > 0 ? 1 : 0;
