import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf, McpServerConfig } from '@cloutagent/contract';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { installPreset } from './install-preset.ts';
import { PRESETS, presetOf } from './presets.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-preset-'));
});
afterEach(() => rm(folder, { recursive: true }));

const packaged = PRESETS.flatMap((preset) =>
  preset.package === undefined ? [] : [{ ...preset, package: preset.package }],
);

test('[E14.web-search] web search is Brave’s with a key, else a browser', () => {
  expect(presetOf('web-search', true)?.id).toBe('brave-search');
  expect(presetOf('web-search', false)?.id).toBe('playwright');
  expect(presetOf('nothing', true)).toBeUndefined();
});

test.each(packaged)('[E14.pinned] $id is pinned by version and hash, packages of packages too', async (preset) => {
  const locks = new URL(`../presets/${preset.id}/`, import.meta.url);
  const manifest = JSON.parse(await readFile(new URL('package.json', locks), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  expect(manifest.dependencies).toEqual({ [preset.package.name]: preset.package.version });
  const lock = JSON.parse(await readFile(new URL('package-lock.json', locks), 'utf8')) as {
    packages: Record<string, { version?: string; integrity?: string; resolved?: string }>;
  };
  const entries = Object.entries(lock.packages).filter(([where]) => where !== '');
  expect(entries.length).toBeGreaterThan(0);
  for (const [where, { version, integrity, resolved }] of entries)
    expect([where, version, integrity, resolved]).toEqual([
      where,
      expect.stringMatching(/^\d+\.\d+\.\d+/u),
      expect.stringMatching(/^sha512-/u),
      undefined,
    ]);
});

test.each(PRESETS)('$id makes an entry that starts without a shell or npx', ({ id, entry }) => {
  const made = entry({ args: ['/somewhere'], dataDir: '/data', asRoot: true });
  const config = McpServerConfig.parse({ id, transport: 'stdio', command: process.execPath, ...made });
  expect(JSON.stringify(config)).not.toContain('npx');
});

test('an installation that fails says why, leaves nothing, and what is there is taken', async () => {
  const [preset] = packaged;
  if (preset === undefined) throw new Error('There is no preset');
  await expect(installPreset(preset, { folder, env: { PATH: folder } })).rejects.toSatisfy(
    (error) => codeOf(error) === 'MCP_INSTALL_FAILED',
  );
  expect(await readdir(folder)).toEqual([]);
  const { name, version, program } = preset.package;
  const installed = join(folder, `${preset.id}-${version}`, 'node_modules', name, program);
  await mkdir(join(installed, '..'), { recursive: true });
  await writeFile(installed, '');
  expect(await installPreset(preset, { folder, env: {} })).toBe(installed);
  await access(installed);
});
