import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bindAddress, readSettings, resolveDataDir, resolveRoot } from './config.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'clout-config-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('settings', () => {
  it('have a default for everything', async () => {
    const settings = await readSettings(folder, {});
    expect(settings.config.model).toBe('claude-sonnet-5-5');
    expect(settings.projectLimitNanoUsd).toBe(20_000_000_000);
    expect(settings.anthropic).toMatchObject({ apiKey: undefined, url: 'https://api.anthropic.com' });
    expect(settings.front.tokens).toEqual({ user: [], admin: [] });
    expect(settings.front.maxResponseBytes).toBe(1024 * 1024);
  });

  it('come from the file, and the environment wins', async () => {
    await writeFile(path.join(folder, 'config.yaml'), 'model: claude-haiku-5-5\nbudget: { project: "0.75" }\n');
    const settings = await readSettings(folder, {
      AUTH_TOKENS: 'a, b,',
      ADMIN_TOKENS: 'c',
      ANTHROPIC_API_KEY: 'k',
      ANTHROPIC_API_URL: 'http://127.0.0.1:1',
      MAX_RESPONSE_SIZE_KB: '10',
      ALLOWED_ORIGINS: 'http://localhost:3000',
    });
    expect(settings.config.model).toBe('claude-haiku-5-5');
    expect(settings.projectLimitNanoUsd).toBe(750_000_000);
    expect(settings.front.tokens).toEqual({ user: ['a', 'b'], admin: ['c'] });
    expect(settings.anthropic).toMatchObject({ apiKey: 'k', url: 'http://127.0.0.1:1' });
    expect(settings.front.maxResponseBytes).toBe(10_240);
    expect(settings.front.allowedOrigins).toEqual(['http://localhost:3000']);
  });

  it('need no key where a local server is named', async () => {
    expect((await readSettings(folder, { ANTHROPIC_API_URL: 'http://127.0.0.1:1' })).anthropic.apiKey).toMatch(
      /^no-key-[0-9a-f]{16}$/u,
    );
  });

  it.each(['localhost:18840', 'ftp://x/', '127.0.0.1', 'http://ann:secret@127.0.0.1/'])(
    '[X1.released] refuse the address %s before anything can be booked for it',
    async (url) => {
      const refused = readSettings(folder, { ANTHROPIC_API_URL: url });
      await expect(refused).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
      await expect(refused).rejects.toThrow('ANTHROPIC_API_URL');
      await expect(refused).rejects.not.toThrow(url);
    },
  );

  it.each(['k\u20acy-long', 'two\nlines', 'sk ant key'])(
    '[X1.released] refuse the key %j without showing it',
    async (key) => {
      const refused = readSettings(folder, { ANTHROPIC_API_KEY: key });
      await expect(refused).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
      await expect(refused).rejects.toThrow('ANTHROPIC_API_KEY');
      await expect(refused).rejects.not.toThrow(key);
    },
  );

  it('take a key with blanks around it, and no key where there are only blanks', async () => {
    expect((await readSettings(folder, { ANTHROPIC_API_KEY: ' sk-1\n' })).anthropic.apiKey).toBe('sk-1');
    expect((await readSettings(folder, { ANTHROPIC_API_KEY: ' ' })).anthropic.apiKey).toBeUndefined();
  });

  it.each([
    ['model: [', 'not valid YAML'],
    ['modle: x', 'modle'],
    ['budget: { project: "-1" }', 'amount in dollars'],
  ])('refuses %j with the reason', async (text, reason) => {
    await writeFile(path.join(folder, 'config.yaml'), text);
    await expect(readSettings(folder, {})).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
    await expect(readSettings(folder, {})).rejects.toThrow(reason);
  });
});

describe('where', () => {
  it('a flag wins over PORT and HOST, which win over the default', () => {
    expect(bindAddress({}, {})).toEqual({ port: 8443, host: '127.0.0.1' });
    expect(bindAddress({ PORT: '9000', HOST: '::1' }, {})).toEqual({ port: 9000, host: '::1' });
    expect(bindAddress({ PORT: '9000' }, { port: 1 })).toEqual({ port: 1, host: '127.0.0.1' });
    expect(() => bindAddress({ PORT: 'http' }, {})).toThrow('PORT');
  });

  it('WORKING_DIRECTORY may be the root or the openspec folder [T19.workdir]', () => {
    expect(resolveRoot('/a', {})).toBe('/a');
    expect(resolveRoot('/a', { WORKING_DIRECTORY: '/b' })).toBe('/b');
    expect(resolveRoot('/a', { WORKING_DIRECTORY: '/b/openspec' })).toBe('/b');
    expect(resolveRoot('/a', { WORKING_DIRECTORY: '/b' }, 'c')).toBe('/a/c');
    expect(resolveDataDir('/a', {})).toBe('/a/.cloutagent');
    expect(resolveDataDir('/a', { CLOUTAGENT_DATA: '/data' })).toBe('/data');
  });
});

it('[E13.key-url] [E13.timeout] reads profile, time-out and proxies of the model server', async () => {
  const dir = await mkdtemp(path.join(tmpdir(), 'clout-model-'));
  const environment = {
    ANTHROPIC_API_URL: 'http://gateway.example:4000',
    ANTHROPIC_API_PROFILE: 'litellm',
    DEFAULT_TIMEOUT_MS: '5000',
    MAX_CONCURRENT_EXECUTIONS: '3',
    HTTP_PROXY: 'http://proxy.example:3128',
    HTTPS_PROXY: 'http://proxy.example:3129',
    NO_PROXY: 'localhost',
  };
  const settings = await readSettings(dir, environment);
  expect(settings.anthropic).toMatchObject({
    url: 'http://gateway.example:4000',
    profile: { name: 'litellm', prices: 'table' },
    timeoutMs: 5000,
    proxy: { http: 'http://proxy.example:3128', https: 'http://proxy.example:3129', no: 'localhost' },
  });
  expect(settings.maxConcurrent).toBe(3);
  expect((await readSettings(dir, {})).anthropic).toMatchObject({ profile: { name: 'anthropic' }, timeoutMs: 120_000 });
  await expect(readSettings(dir, { ANTHROPIC_API_PROFILE: 'gpt' })).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
  await rm(dir, { recursive: true });
});
