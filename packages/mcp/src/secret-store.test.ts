import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf } from '@cloutagent/contract';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { givenKeys, keyFile } from './secret-key.ts';
import { openSecretStore, type SecretStore } from './secret-store.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-secrets-'));
});
afterEach(() => rm(folder, { recursive: true }));

const FIRST = 'ab'.repeat(32);
const SECOND = 'cd'.repeat(32);
const SECRET = 'sk-very-secret-value';
const file = (): string => join(folder, 'data', 'secrets.json');
const key = (): string => join(folder, 'home', 'key');
const open = (): SecretStore => openSecretStore(file(), keyFile(key()));
const openWith = (text: string): SecretStore => openSecretStore(file(), givenKeys('CLOUT_SECRET_KEY', text));
const idOf = (reference: string): string => reference.slice('secret:'.length);
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: unknown) => error,
  );
const codeFrom = async (promise: Promise<unknown>): Promise<unknown> => codeOf(await failure(promise));

describe('[E16] a secret at rest', () => {
  test('is sealed, in files for their owner alone, and comes back', async () => {
    const reference = await open().put(SECRET);
    expect(reference).toMatch(/^secret:[0-9a-f]{16}$/u);
    expect(await open().get(idOf(reference))).toBe(SECRET);
    for (const path of [file(), key()]) {
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      const text = await readFile(path, 'utf8');
      expect(text).not.toContain(SECRET);
      expect(text).not.toContain(Buffer.from(SECRET).toString('hex'));
    }
    // The same value twice is not seen to be the same.
    const again = await open().put(SECRET);
    const { secrets } = JSON.parse(await readFile(file(), 'utf8')) as { secrets: Record<string, string> };
    expect(secrets[idOf(again)]).not.toBe(secrets[idOf(reference)]);
    expect(await codeFrom(open().get('0'.repeat(16)))).toBe('SECRET_NOT_FOUND');
  });

  test('[SECRET_UNREADABLE] that was changed in any byte is refused', async () => {
    const id = idOf(await open().put(SECRET));
    const whole = await readFile(file());
    const seen: unknown[] = [];
    for (let at = 0; at < whole.length; at += 1) {
      for (const flip of [0x01, 0x20, 0x80]) {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] ?? 0) ^ flip;
        await writeFile(file(), bytes);
        seen.push(await codeFrom(open().get(id)));
      }
    }
    for (let length = 0; length < whole.length; length += 1) {
      await writeFile(file(), whole.subarray(0, length));
      seen.push(await codeFrom(open().get(id)));
    }
    // Another id is another secret; everything else is a file that cannot be read.
    expect(new Set(seen)).toEqual(new Set(['SECRET_UNREADABLE', 'SECRET_NOT_FOUND']));
    expect(seen.filter((code) => code === 'SECRET_NOT_FOUND').length).toBeLessThanOrEqual(2 * 16);
    await writeFile(file(), whole);
    expect(await open().get(id)).toBe(SECRET);
  });

  test('[SECRET_UNREADABLE] that was copied to another id is refused', async () => {
    const [one, two] = [idOf(await open().put(SECRET)), idOf(await open().put('another-secret'))];
    const content = JSON.parse(await readFile(file(), 'utf8')) as { secrets: Record<string, string> };
    content.secrets[two] = content.secrets[one] ?? '';
    await writeFile(file(), `${JSON.stringify(content, undefined, 2)}\n`);
    expect(await open().get(one)).toBe(SECRET);
    expect(await codeFrom(open().get(two))).toBe('SECRET_UNREADABLE');
  });

  test('[SECRET_UNREADABLE] whose key is another one, or none, is refused with what helps, and not written over', async () => {
    const id = idOf(await open().put(SECRET));
    const whole = await readFile(file(), 'utf8');
    for (const store of [openWith(SECOND), openSecretStore(file(), keyFile(join(folder, 'none')))]) {
      const error = await failure(store.get(id));
      expect(error).toMatchObject({
        code: 'SECRET_UNREADABLE',
        message: expect.stringContaining('another key') as string,
        hint: expect.stringContaining('Bring that key back') as string,
      });
      expect(await codeFrom(store.put('more'))).toBe('SECRET_UNREADABLE');
      expect(await codeFrom(store.rekey())).toBe('SECRET_UNREADABLE');
    }
    expect(await readFile(file(), 'utf8')).toBe(whole);
  });

  test('[SECRET_UNREADABLE] is not sealed with what is no key, and not without a place for one', async () => {
    for (const text of ['', 'short', `${FIRST},`, 'g'.repeat(64)]) {
      const error = await failure(openWith(text).put(SECRET));
      expect(error).toMatchObject({ code: 'SECRET_UNREADABLE', hint: expect.stringContaining('openssl') as string });
      // It may be a key with a slip of the pen.
      expect((error as Error).message).not.toContain(text.slice(0, 20) || FIRST);
    }
    expect(await codeFrom(openSecretStore(file(), keyFile(undefined)).put(SECRET))).toBe('SECRET_UNREADABLE');
  });

  test('is sealed anew with a fresh key, and the old one is gone', async () => {
    const id = idOf(await open().put(SECRET));
    const before = await readFile(key(), 'utf8');
    expect(await open().rekey()).toBe(1);
    const after = await readFile(key(), 'utf8');
    expect(after).toMatch(/^[0-9a-f]{64}\n$/u);
    expect(after).not.toBe(before);
    expect(await open().get(id)).toBe(SECRET);
    expect(await codeFrom(openWith(before.trim()).get(id))).toBe('SECRET_UNREADABLE');
  });

  test('is readable whenever a change of keys is cut off', async () => {
    const id = idOf(await open().put(SECRET));
    const keys = keyFile(key());
    const cut = (at: 'next' | 'settle') => ({
      ...keys,
      [at]: () => keys.next().then(() => Promise.reject(new Error('cut off'))),
    });
    expect(await failure(openSecretStore(file(), cut('next')).rekey())).toMatchObject({ message: 'cut off' });
    expect(await open().get(id)).toBe(SECRET);
    expect(await failure(openSecretStore(file(), cut('settle')).rekey())).toMatchObject({ message: 'cut off' });
    expect(await open().get(id)).toBe(SECRET);
    expect(await open().rekey()).toBe(1);
    expect(await open().get(id)).toBe(SECRET);
  });

  test('is sealed anew with the key that is put before the old one', async () => {
    const id = idOf(await openWith(FIRST).put(SECRET));
    const both = openWith(`${SECOND},${FIRST}`);
    expect(await both.get(id)).toBe(SECRET);
    expect(await both.rekey()).toBe(1);
    expect(await openWith(SECOND).get(id)).toBe(SECRET);
    expect(await codeFrom(openWith(FIRST).get(id))).toBe('SECRET_UNREADABLE');
  });

  test('is forgotten when nobody refers to it', async () => {
    const [one, two] = [idOf(await open().put(SECRET)), idOf(await open().put('another-secret'))];
    await open().keep(new Set([two]));
    expect(await codeFrom(open().get(one))).toBe('SECRET_NOT_FOUND');
    expect(await open().get(two)).toBe('another-secret');
  });
});
