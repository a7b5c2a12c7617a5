import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf, McpServerConfig, type McpServerInput } from '@cloutagent/contract';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openApprovals } from './approvals.ts';
import { openRegistry, type Registry } from './registry.ts';
import { keyFile } from './secret-key.ts';
import { openSecretStore } from './secret-store.ts';
import { looksSecret } from './secret-value.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-sealed-'));
});
afterEach(() => rm(folder, { recursive: true }));

const file = (name: string): string => join(folder, name);
const open = async (): Promise<Registry> =>
  openRegistry({
    file: file('mcp.json'),
    approvals: await openApprovals(file('approvals.json')),
    builtIn: [],
    root: '/project',
    secrets: {
      variable: (name) => ({ PLACE: 'value-of-place', HOME: '/home/ann' })[name],
      folder,
      store: openSecretStore(file('secrets.json'), keyFile(file('key'))),
    },
    searchPath: '/usr/bin:/bin',
    now: () => 1,
  });
const stdio = (env: Record<string, string>, more: Partial<McpServerInput> = {}): McpServerConfig =>
  McpServerConfig.parse({ id: 'notes', transport: 'stdio', command: 'sh', env, ...more });
const entries = (): Promise<string> => readFile(file('mcp.json'), 'utf8');
const sealedCount = async (): Promise<number> =>
  Object.keys((JSON.parse(await readFile(file('secrets.json'), 'utf8')) as { secrets: object }).secrets).length;
const by = 'admin';

describe('[E16] secrets that stand in an entry', () => {
  test('are sealed when it is added: the file has references, and what runs has the values', async () => {
    const registry = await open();
    const env = {
      API_TOKEN: 'sk-literal',
      DATABASE: 'postgres://ann:hunter22@db/x',
      OTHER: 'ghp0123456789abcdefghijklmn',
      MODE: 'fast',
      TEXT_KEY: 'text:public',
    };
    const { config } = await registry.add(stdio(env), { by });
    const text = await entries();
    for (const secret of ['sk-literal', 'hunter22', 'ghp0123']) expect(text).not.toContain(secret);
    expect(config).toMatchObject({
      env: {
        API_TOKEN: expect.stringMatching(/^secret:/u) as string,
        DATABASE: expect.stringMatching(/^secret:/u) as string,
        OTHER: expect.stringMatching(/^secret:/u) as string,
        MODE: 'fast',
        TEXT_KEY: 'text:public',
      },
    });
    const { target } = await (await open()).find({ id: 'notes' });
    expect(target).toMatchObject({ env: { ...env, TEXT_KEY: 'public' } });
    expect(target.secrets).toEqual(expect.arrayContaining(['sk-literal', 'postgres://ann:hunter22@db/x']) as string[]);
    expect(target.secrets).not.toContain('fast');
    const far = {
      id: 'far',
      transport: 'http',
      url: 'https://example.com/mcp',
      headers: { 'X-Any': 'Bearer abc12345', Accept: 'x/y' },
    };
    await registry.add(McpServerConfig.parse(far), { by });
    expect(await entries()).not.toContain('abc12345');
    expect((await registry.find({ id: 'far' })).target).toMatchObject({ headers: far.headers });
  });

  test('are forgotten with it, and sealed where somebody wrote them into the file', async () => {
    const registry = await open();
    await registry.add(stdio({ TOKEN: 'sk-first-one' }), { by });
    await registry.add(stdio({ TOKEN: 'sk-second-one' }), { by, replace: true });
    expect(await sealedCount()).toBe(1);
    await writeFile(file('mcp.json'), (await entries()).replace(/secret:[0-9a-f]+/u, 'sk-by-hand'));
    expect(codeOf(await registry.find({ id: 'notes' }).catch((error: unknown) => error))).toBe('MCP_NOT_APPROVED');
    await registry.approve('notes', { by });
    expect(await entries()).not.toContain('sk-by-hand');
    expect(await sealedCount()).toBe(1);
    expect((await registry.find({ id: 'notes' })).target).toMatchObject({ env: { TOKEN: 'sk-by-hand' } });
    await registry.remove('notes');
    expect(await sealedCount()).toBe(0);
  });

  test('[SECRET_UNREADABLE] of a lost key are an error, and nothing is started', async () => {
    await (await open()).add(stdio({ TOKEN: 'sk-first-one' }), { by });
    await rm(file('key'));
    expect(codeOf(await (await open()).find({ id: 'notes' }).catch((error: unknown) => error))).toBe(
      'SECRET_UNREADABLE',
    );
  });
});

describe('[E15] what is referred to', () => {
  test('is a secret by its value, whatever its name is, but for what every child is told', async () => {
    const registry = await open();
    await registry.add(stdio({ WHERE: 'env:PLACE', BASE: 'env:HOME' }), { by });
    expect(new Set((await registry.find({ id: 'notes' })).target.secrets)).toEqual(new Set(['value-of-place']));
  });
});

test.each([
  ['MODE', 'fast', false],
  ['ROOT', '/srv/data/2024/abcdefghijklmnop', false],
  ['URL', 'https://example.com/a/long/path/2024/01', false],
  ['URL', 'https://ann@example.com', false],
  ['URL', 'https://ann:pw@example.com', true],
  ['API_KEY', 'x', true],
  ['ANY', 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9', true],
  ['TOKEN', 'env:X', false],
])('%s=%s looks like a secret: %s', (name, text, is) => {
  expect(looksSecret(name, text, false)).toBe(is);
});
