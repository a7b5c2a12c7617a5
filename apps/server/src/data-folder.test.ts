import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { adminToken, findServer, prepareDataFolder, proofOf, watchDataFolder, writeServerFile } from './data-folder.ts';
import { onStorage } from './storage-error.ts';
import { trust } from './trust.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'clout-data-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe("[T5.token-file] the administrator's token", () => {
  it('is made once, for its owner alone', async () => {
    const token = await adminToken(dir);
    expect(token).toHaveLength(43);
    expect(await adminToken(dir)).toBe(token);
    expect((await stat(path.join(dir, 'token'))).mode & 0o777).toBe(0o600);
  });

  it('is made again where a crash has left the file empty, and its mode is mended', async () => {
    await writeFile(path.join(dir, 'token'), '\n');
    const token = await adminToken(dir);
    expect(token).toHaveLength(43);
    await chmod(path.join(dir, 'token'), 0o644);
    expect(await adminToken(dir)).toBe(token);
    expect((await stat(path.join(dir, 'token'))).mode & 0o777).toBe(0o600);
    expect((await readFile(path.join(dir, 'token'), 'utf8')).trim()).toBe(token);
  });
});

describe('finding the server of a data folder', () => {
  const listener = async (
    answer: (request: IncomingMessage, url: string) => unknown,
  ): Promise<AsyncDisposable & { readonly url: string; readonly said: readonly string[] }> => {
    const said: string[] = [];
    const server = createServer((request, response) => {
      said.push(`${request.url} ${JSON.stringify(request.rawHeaders)}`);
      response.end(JSON.stringify(answer(request, url)));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await writeServerFile(dir, { pid: 1, url, startedAt: '', version: '' });
    return {
      url,
      said,
      [Symbol.asyncDispose]: async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  };

  const challengeIn = (request: IncomingMessage): string =>
    new URL(request.url ?? '', 'http://a').searchParams.get('challenge') ?? '';

  it('trusts who proves to know the token', async () => {
    const token = await adminToken(dir);
    await using server = await listener((request, url) => ({ proof: proofOf(token, url, challengeIn(request)) }));
    expect(await findServer(dir)).toEqual({ url: server.url, token });
  });

  it.each<[string, (token: string, request: IncomingMessage, url: string) => unknown]>([
    ['says it is the one', () => ({ pid: 1, proof: 'yes' })],
    ['knows another token', (_token, request, url) => ({ proof: proofOf('other', url, challengeIn(request)) })],
    ['repeats an old proof', (token, _request, url) => ({ proof: proofOf(token, url, 'an-old-challenge') })],
    [
      'passes on the proof of the real one elsewhere',
      (token, request) => ({ proof: proofOf(token, 'http://127.0.0.1:1', challengeIn(request)) }),
    ],
  ])('never shows the token to a program that %s', async (_what, answer) => {
    const token = await adminToken(dir);
    await using server = await listener((request, url) => answer(token, request, url));
    expect(await findServer(dir)).toBeUndefined();
    expect(server.said).toHaveLength(1);
    expect(server.said.join()).not.toContain(token);
  });

  it.each(['https://127.0.0.1:1', 'http://192.0.2.1:80', 'file:///etc/passwd', 'nothing', 'http://127.0.0.1:1/x'])(
    'asks nobody at %s',
    async (url) => {
      await adminToken(dir);
      await writeServerFile(dir, { pid: 1, url, startedAt: '', version: '' });
      expect(await findServer(dir)).toBeUndefined();
    },
  );
});

describe('a folder that cannot be used', () => {
  it.each([
    ['EACCES', 'STORAGE_READONLY'],
    ['EROFS', 'STORAGE_READONLY'],
    ['ENOSPC', 'STORAGE_FULL'],
  ])('says so on %s', async (code, expected) => {
    const failing = onStorage(dir, () => Promise.reject(Object.assign(new Error('no'), { code })));
    await expect(failing).rejects.toMatchObject({ code: expected });
  });

  it('is named whoever writes to it', async () => {
    const file = path.join(dir, 'file');
    await writeFile(file, '');
    const refused = { code: 'STORAGE_READONLY' };
    await expect(prepareDataFolder(path.join(file, 'data'))).rejects.toMatchObject(refused);
    await expect(adminToken(path.join(file, 'data'))).rejects.toMatchObject(refused);
    await expect(trust(dir, { XDG_CONFIG_HOME: file })).rejects.toMatchObject(refused);
  });

  it('is noticed when it was removed under the server', async () => {
    const data = path.join(dir, 'data');
    await mkdir(data);
    await writeFile(path.join(data, 'lock.db'), '');
    const requireData = await watchDataFolder(data);
    await requireData();
    await rename(data, path.join(dir, 'away'));
    await expect(requireData()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await mkdir(data);
    await writeFile(path.join(data, 'lock.db'), '');
    await expect(requireData()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });
});
