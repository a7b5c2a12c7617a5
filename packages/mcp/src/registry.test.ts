import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf, McpServerConfig, type McpServerInput, type McpTool } from '@cloutagent/contract';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openApprovals } from './approvals.ts';
import { openRegistry, type Registry } from './registry.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-registry-'));
  await mkdir(join(folder, 'data'));
});
afterEach(() => rm(folder, { recursive: true }));

const BUILT_IN = McpServerConfig.parse({ id: 'filesystem', transport: 'stdio', command: 'node', args: ['ours.js'] });
const ENTRY = {
  id: 'notes',
  transport: 'stdio',
  command: 'sh',
  args: ['-c', 'true'],
  env: { MODE: 'fast', TOKEN: 'env:NOTES_TOKEN' },
  cwd: '/srv',
} as const satisfies McpServerInput;
const entry = (more: Partial<McpServerInput> = {}): McpServerConfig => McpServerConfig.parse({ ...ENTRY, ...more });

const open = async (searchPath = '/usr/bin:/bin'): Promise<Registry> =>
  openRegistry({
    file: join(folder, 'data', 'mcp.json'),
    approvals: await openApprovals(join(folder, 'home', 'approvals.json')),
    builtIn: [BUILT_IN],
    root: '/project',
    secrets: {
      variable: (name) => (name === 'NOTES_TOKEN' ? 'tok-1' : undefined),
      folder: join(folder, 'data'),
    },
    searchPath,
    now: () => 1,
  });

const by = 'admin';
const codeFrom = (promise: Promise<unknown>): Promise<string | undefined> =>
  promise.then(
    () => 'no error',
    (error: unknown) => codeOf(error),
  );
const edit = async (change: (config: Record<string, unknown>) => void): Promise<void> => {
  const file = join(folder, 'data', 'mcp.json');
  const document = JSON.parse(await readFile(file, 'utf8')) as { servers: Record<string, unknown>[] };
  for (const server of document.servers) change(server);
  await writeFile(file, JSON.stringify(document));
};

describe('entries', () => {
  test('are kept in a file of the administrator, and found by id with their secrets looked up', async () => {
    await (await open()).add(entry(), { by });
    expect((await stat(join(folder, 'data', 'mcp.json'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(folder, 'data', 'mcp.json'), 'utf8')).not.toContain('tok-1');
    const { target, idleMs } = await (await open()).find({ id: 'notes' });
    expect(idleMs).toBe(600_000);
    expect(target).toMatchObject({ command: 'sh', args: ['-c', 'true'], cwd: '/srv', callMs: 120_000 });
    expect(target).toMatchObject({ env: { MODE: 'fast', TOKEN: 'tok-1' } });
    // What was looked up is hidden in all that the server says; what stands in the entry is no secret.
    expect(new Set(target.secrets)).toEqual(new Set(['tok-1']));
  });

  test('an id is given once, unless it is to be replaced; ours is never', async () => {
    const registry = await open();
    await registry.add(entry(), { by });
    expect(await codeFrom(registry.add(entry({ args: ['x'] }), { by }))).toBe('MCP_SERVER_EXISTS');
    await registry.add(entry({ args: ['x'] }), { by, replace: true });
    expect((await registry.get('notes')).config).toMatchObject({ args: ['x'] });
    expect(await codeFrom(registry.add(BUILT_IN, { by, replace: true }))).toBe('MCP_SERVER_EXISTS');
    expect(await codeFrom(registry.remove('filesystem'))).toBe('FORBIDDEN');
  });

  test('what was removed, is switched off or never was is not found', async () => {
    const registry = await open();
    await registry.add(entry(), { by });
    await registry.add(entry({ id: 'off', enabled: false }), { by });
    await registry.remove('notes');
    for (const id of ['notes', 'off', 'never'])
      expect(await codeFrom(registry.find({ id }))).toBe('MCP_SERVER_NOT_FOUND');
    expect((await registry.list()).map(({ config }) => config.id)).toEqual(['filesystem', 'off']);
  });

  test('many changes at once are all kept', async () => {
    const registry = await open();
    await Promise.all(Array.from({ length: 20 }, (_, i) => registry.add(entry({ id: `s${i}` }), { by })));
    expect(await registry.list()).toHaveLength(21);
  });

  test('a program that is not there is not registered; one in the project is looked for when it starts', async () => {
    const registry = await open();
    for (const command of ['nowhere-at-all', '/nowhere/at-all'])
      expect(await codeFrom(registry.add(entry({ command }), { by }))).toBe('INVALID_INPUT');
    expect((await registry.list()).map(({ config }) => config.id)).toEqual(['filesystem']);
    await registry.add(entry({ command: './server.sh' }), { by });
  });

  test('a file that cannot be read is said so, and nothing is started from it', async () => {
    await writeFile(join(folder, 'data', 'mcp.json'), '{broken');
    await expect((await open()).list()).rejects.toThrow(/mcp\.json cannot be read: it is no JSON/u);
    await writeFile(join(folder, 'data', 'mcp.json'), '{"format":1,"servers":[{"id":"x","command":"rm"}]}');
    expect(await codeFrom((await open()).find({ id: 'x' }))).toBe('VALIDATION_ERROR');
  });
});

describe('[E6.approval] [E2] an entry runs only as it was approved', () => {
  const CHANGES: readonly [string, (config: Record<string, unknown>) => void][] = [
    ['command', (config) => void (config['command'] = 'bash')],
    ['arguments', (config) => void (config['args'] = ['-c', 'true; evil'])],
    ['one more argument', (config) => void (config['args'] = ['-c', 'true', ''])],
    [
      'a variable',
      (config) => void (config['env'] = { MODE: 'fast', TOKEN: 'env:NOTES_TOKEN', NODE_OPTIONS: '-r evil' }),
    ],
    ['the value of a variable', (config) => void (config['env'] = { MODE: 'slow', TOKEN: 'env:NOTES_TOKEN' })],
    ['where a secret comes from', (config) => void (config['env'] = { MODE: 'fast', TOKEN: 'env:OTHER' })],
    ['folder', (config) => void (config['cwd'] = '/tmp')],
    ['parameters', (config) => void (config['params'] = { root: { type: 'text' } })],
  ];
  test.each(CHANGES)('%s changed', async (_what, change) => {
    const registry = await open();
    await registry.add(entry(), { by });
    expect(await codeFrom(registry.find({ id: 'notes' }))).toBe('no error');
    await edit(change);
    expect(await codeFrom(registry.find({ id: 'notes' }))).toBe('MCP_NOT_APPROVED');
    await registry.approve('notes', { by });
    expect(await codeFrom(registry.find({ id: 'notes' }))).not.toBe('MCP_NOT_APPROVED');
  });

  const REMOTE: McpServerInput = {
    id: 'far',
    transport: 'http',
    url: 'https://a.example/mcp',
    headers: { X: 'env:NOTES_TOKEN' },
  };
  test.each([
    ['address', (config: Record<string, unknown>) => void (config['url'] = 'https://b.example/mcp')],
    ['headers', (config: Record<string, unknown>) => void (config['headers'] = {})],
    ['networks', (config: Record<string, unknown>) => void (config['allowNetworks'] = ['loopback'])],
  ])('%s of a remote one changed', async (_what, change) => {
    const registry = await open();
    await registry.add(McpServerConfig.parse(REMOTE), { by });
    expect((await registry.find({ id: 'far' })).target).toMatchObject({ headers: { X: 'tok-1' } });
    await edit(change);
    expect(await codeFrom(registry.find({ id: 'far' }))).toBe('MCP_NOT_APPROVED');
  });

  test('the program behind a command changed', async () => {
    const bin = join(folder, 'bin');
    await mkdir(bin);
    await symlink('/bin/sh', join(bin, 'tool'));
    const registry = await open(bin);
    await registry.add(entry({ command: 'tool' }), { by });
    await rm(join(bin, 'tool'));
    await symlink(process.execPath, join(bin, 'tool'));
    expect(await codeFrom(registry.find({ id: 'notes' }))).toBe('MCP_NOT_APPROVED');
  });

  test('title, limits and idle time may change without a new approval', async () => {
    const registry = await open();
    await registry.add(entry(), { by });
    await edit((config) => {
      config['title'] = 'Notes of the team';
      config['timeouts'] = { callMs: 5000 };
    });
    expect((await registry.find({ id: 'notes' })).target).toMatchObject({ callMs: 5000 });
  });

  test('a file that comes with a repository approves nothing, whatever it holds', async () => {
    await writeFile(
      join(folder, 'data', 'mcp.json'),
      JSON.stringify({ format: 1, servers: [ENTRY, { ...ENTRY, id: 'filesystem' }] }),
    );
    const registry = await open();
    expect(await codeFrom(registry.find({ id: 'notes' }))).toBe('MCP_NOT_APPROVED');
    expect((await registry.find({ id: 'filesystem' })).target).toMatchObject({ args: ['ours.js'] });
  });

  test('the approved tools are kept with the approval, and a new approval takes them back', async () => {
    const registry = await open();
    await registry.add(entry(), { by });
    const tool: McpTool = { server: 'notes', name: 'a', description: 'A', inputSchema: {}, annotations: {} };
    registry.pin('notes', [tool]);
    await expect
      .poll(async () => (await open()).pins('notes'))
      .toEqual({ a: expect.stringMatching(/^[0-9a-f]{64}$/u) });
    const before = registry.pins('notes');
    await registry.approve('notes', { by, tools: [{ ...tool, description: 'B' }] });
    expect(Object.keys(registry.pins('notes') ?? {})).toEqual(['a']);
    expect(registry.pins('notes')).not.toEqual(before);
    await registry.approve('notes', { by });
    expect(registry.pins('notes')).toBeUndefined();
  });
});

describe('[E3] parameters fill exact places and become no option', () => {
  const PARAMS: Partial<McpServerInput> = {
    args: ['--root={{root}}', '{{root}}', '{{name}}', '{{other}}'],
    params: { root: { type: 'path' }, name: { type: 'text' } },
  };
  const find = async (params: Record<string, string>) => {
    const registry = await open();
    await registry.add(entry(PARAMS), { by, replace: true });
    return registry.find({ id: 'notes', params });
  };
  test('values are put in once, whatever they hold', async () => {
    const { target } = await find({ root: '/a b/$(x)', name: '{{root}}; rm' });
    expect(target).toMatchObject({ args: ['--root=/a b/$(x)', '/a b/$(x)', '{{root}}; rm', '{{other}}'] });
  });
  test.each([
    [{ name: 'n' }],
    [{ root: 'relative', name: 'n' }],
    [{ root: '/r', name: '--yes' }],
    [{ root: '/r', name: '-y' }],
    [{ root: '/r\0', name: 'n' }],
    [{ root: '/r', name: '' }],
    [{ root: '/r', name: 'n', more: 'x' }],
    [{ root: '/r', name: 'n', ['__proto__x']: 'x' }],
  ])('%j is refused', async (params) => {
    expect(await codeFrom(find(params as Record<string, string>))).toBe('INVALID_INPUT');
  });
});

describe('secrets by reference', () => {
  test('a file gives its first line; text: is taken as it is', async () => {
    await writeFile(join(folder, 'data', 'key'), 'from-file\nsecond line\n');
    const registry = await open();
    await registry.add(entry({ env: { A: 'file:key', B: 'text:env:C', C: 'plain' } }), { by });
    expect((await registry.find({ id: 'notes' })).target).toMatchObject({
      env: { A: 'from-file', B: 'env:C', C: 'plain' },
    });
  });
  test.each(['env:MISSING', 'file:missing', 'file:.'])('%s leads to nothing', async (reference) => {
    const registry = await open();
    await registry.add(entry({ env: { A: reference } }), { by });
    expect(await codeFrom(registry.find({ id: 'notes' }))).toBe('SECRET_NOT_FOUND');
  });
});
