import { createRequire } from 'node:module';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MCPClient, MCPClientPool, MCPError } from '@cloutagent/compat';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

// The test snippets of seed 003, tasks 1.3 and 1.4, over the filesystem server. `npx -y` is replaced by the server that is
// installed, and the second server of task 1.4, a browser, by a second filesystem server.

const SERVER = createRequire(new URL('../apps/server/package.json', import.meta.url)).resolve(
  '@modelcontextprotocol/server-filesystem/dist/index.js',
);

let folder = '';
const stdio = (id: string, name: string) => ({
  id,
  name,
  command: process.execPath,
  args: [SERVER, folder],
  transport: 'stdio' as const,
});

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'compat-'));
  await writeFile(path.join(folder, 'test.txt'), 'hello from the file');
});
afterEach(() => rm(folder, { recursive: true }));

describe('[E1.compat] MCPClient (task 1.3)', () => {
  it('should connect, discover tools and execute one', async () => {
    const client = new MCPClient(stdio('test-fs', 'Filesystem'));
    expect(client.getStatus()).toBe('disconnected');
    await client.connect();
    expect(client.getStatus()).toBe('connected');
    expect(await client.checkHealth()).toBe(true);
    const tools = await client.discoverTools();
    expect(tools.length).toBeGreaterThan(0);
    for (const property of ['name', 'description', 'inputSchema']) expect(tools[0]).toHaveProperty(property);
    const result = await client.executeTool('read_file', { path: path.join(folder, 'test.txt') });
    expect(result.success).toBe(true);
    expect(result.output).toBe('hello from the file');
    expect(await client.executeTool('read_file', { path: path.join(folder, 'nothing') })).toMatchObject({
      success: false,
      error: expect.stringContaining('ENOENT') as string,
    });
    await client.disconnect();
    expect(client.getStatus()).toBe('disconnected');
  });

  it('[E1.mcp-errors] throws CONNECTION_FAILED', async () => {
    const client = new MCPClient({ ...stdio('gone', 'gone'), command: '/nowhere/at-all' });
    const error: unknown = await client.connect().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MCPError);
    expect(error).toMatchObject({ code: 'CONNECTION_FAILED', serverId: 'gone' });
    expect(client.getStatus()).toBe('error');
    await expect(client.discoverTools()).rejects.toMatchObject({ code: 'SERVER_NOT_CONNECTED' });
  });
});

describe('[E1.compat] MCPClientPool (task 1.4)', () => {
  it('should manage multiple MCP servers and route calls to the right one', async () => {
    const pool = new MCPClientPool();
    await Promise.all([pool.addServer(stdio('fs', 'filesystem')), pool.addServer(stdio('web', 'web-search'))]);
    const tools = await pool.getAllTools();
    expect(tools.length).toBeGreaterThan(2);
    const connections = await pool.getConnections();
    expect(connections).toHaveLength(2);
    expect(connections.every((c) => c.status === 'connected')).toBe(true);
    expect(await pool.healthCheck()).toEqual({ fs: true, web: true });
    const result = await pool.executeTool('filesystem:read_file', { path: path.join(folder, 'test.txt') });
    expect(result.success).toBe(true);
    expect(pool.getClient('fs')?.getStatus()).toBe('connected');
    await pool.removeServer('fs');
    expect((await pool.getAllTools()).every(({ name }) => name.startsWith('web-search:'))).toBe(true);
    await pool.destroy();
  });

  it('[E1.mcp-errors] throws ADD_SERVER_FAILED and TOOL_NOT_FOUND', async () => {
    const pool = new MCPClientPool();
    await expect(pool.addServer({ ...stdio('gone', 'gone'), command: '/nowhere/at-all' })).rejects.toMatchObject({
      code: 'ADD_SERVER_FAILED',
      serverId: 'gone',
    });
    await pool.addServer(stdio('fs', 'filesystem'));
    for (const name of ['other:read_file', 'filesystem:nothing', 'read_file'])
      await expect(pool.executeTool(name, {})).rejects.toMatchObject({ code: 'TOOL_NOT_FOUND' });
    await pool.destroy();
  });
});
