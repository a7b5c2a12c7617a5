import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CloutError } from '@cloutagent/contract';
import * as z from 'zod';
import type { SecretKeys } from './secret-key.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** As many as 200 servers with some values each. */
const MAX_SECRETS = 2000;

/** Hex and nothing else, so that no two texts stand for the same bytes. */
const SecretFile = z.strictObject({
  format: z.literal(1),
  /** Which key sealed all of them. */
  key: z.string().regex(/^[0-9a-f]{16}$/u),
  /** By id: nonce, sealed value and tag. */
  secrets: z.record(z.string().regex(/^[0-9a-f]{16}$/u), z.string().regex(/^(?:[0-9a-f]{2}){28,}$/u)),
});
type SecretFile = z.infer<typeof SecretFile>;

/** Values that are kept sealed in a file, with their keys elsewhere. Each method can throw SECRET_UNREADABLE. */
export interface SecretStore {
  /** Seals a value; gives what stands for it in an entry, `secret:ID`. */
  put(value: string): Promise<string>;
  /** Throws SECRET_NOT_FOUND. */
  get(id: string): Promise<string>;
  /** Forgets all others. */
  keep(ids: ReadonlySet<string>): Promise<void>;
  /** Seals everything anew: with a fresh key, or with the first one of those that are given. Gives how many. */
  rekey(): Promise<number>;
}

/**
 * AES-256-GCM with a nonce for each value and its id as associated data, so that a value that was changed, or moved to
 * another id, is refused. The file tells nothing without the key, and the key stands outside of the data folder.
 */
export const openSecretStore = (file: string, keys: SecretKeys): SecretStore => {
  const unreadable = (why: string, hint: string, cause?: unknown): CloutError =>
    new CloutError('SECRET_UNREADABLE', `${file}: ${why}`, { hint, cause });
  const changed = (cause?: unknown): CloutError =>
    unreadable(
      'it is not as it was written',
      'Restore it from a copy, or remove it and add the servers with secrets again: clout mcp add … --replace',
      cause,
    );

  const read = async (): Promise<SecretFile | undefined> => {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw unreadable('it cannot be read', 'Make it readable for the user that runs CloutAgent', error);
    }
    let content: SecretFile;
    try {
      content = SecretFile.parse(JSON.parse(text));
    } catch (cause) {
      throw changed(cause);
    }
    // Whoever changed a blank may have changed more.
    if (render(content) !== text) throw changed();
    return content;
  };
  const write = async (content: SecretFile): Promise<void> => {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const staged = `${file}.${process.pid}`;
    const handle = await open(staged, 'w', 0o600);
    try {
      await handle.writeFile(render(content));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(staged, file);
  };
  const keyOf = async (content: SecretFile): Promise<Buffer> => {
    const found = (await keys.read()).find((key) => nameOf(key) === content.key);
    if (found !== undefined) return found;
    throw unreadable(
      `its secrets were sealed with another key than that of ${keys.place}`,
      'Bring that key back, or remove the file and add the servers with secrets again: clout mcp add … --replace',
    );
  };
  const openValue = (content: SecretFile, key: Buffer, id: string): string => {
    const sealed = Object.hasOwn(content.secrets, id) ? content.secrets[id] : undefined;
    if (sealed === undefined)
      throw new CloutError('SECRET_NOT_FOUND', `There is no secret:${id}`, {
        hint: 'Add the server with its secrets again: clout mcp add … --replace',
        details: { reference: `secret:${id}` },
      });
    try {
      return unseal(key, id, sealed);
    } catch (cause) {
      throw changed(cause);
    }
  };
  /** Changes come one after another. */
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  };

  return {
    put: (value) =>
      inTurn(async () => {
        const before = await read();
        const key = before === undefined ? ((await keys.read())[0] ?? (await keys.make())) : await keyOf(before);
        const secrets = before?.secrets ?? {};
        if (Object.keys(secrets).length >= MAX_SECRETS)
          throw new CloutError('INVALID_INPUT', `More than ${MAX_SECRETS} secrets cannot be kept`);
        const id = randomBytes(8).toString('hex');
        await write({ format: 1, key: nameOf(key), secrets: { ...secrets, [id]: seal(key, id, value) } });
        return `secret:${id}`;
      }),
    get: async (id) => {
      const content = (await read()) ?? { format: 1, key: '', secrets: {} };
      return openValue(content, Object.hasOwn(content.secrets, id) ? await keyOf(content) : Buffer.alloc(0), id);
    },
    keep: (ids) =>
      inTurn(async () => {
        const before = await read();
        if (before === undefined) return;
        const kept = Object.entries(before.secrets).filter(([id]) => ids.has(id));
        if (kept.length === Object.keys(before.secrets).length) return;
        await write({ ...before, secrets: Object.fromEntries(kept) });
      }),
    rekey: () =>
      inTurn(async () => {
        const before = await read();
        if (before === undefined) return 0;
        const old = await keyOf(before);
        const ids = Object.keys(before.secrets);
        const values = ids.map((id) => [id, openValue(before, old, id)] as const);
        // Both keys are there until everything is sealed with the new one.
        const key = await keys.next();
        const secrets = Object.fromEntries(values.map(([id, value]) => [id, seal(key, id, value)]));
        await write({ format: 1, key: nameOf(key), secrets });
        await keys.settle(key);
        return ids.length;
      }),
  };
};

const render = (content: SecretFile): string => `${JSON.stringify(content, undefined, 2)}\n`;

/** Tells keys apart and tells nothing of them. */
const nameOf = (key: Buffer): string =>
  createHash('sha256').update('cloutagent key ').update(key).digest('hex').slice(0, 16);

const dataOf = (id: string): Buffer => Buffer.from(`cloutagent secret 1 ${id}`);

const seal = (key: Buffer, id: string, value: string): string => {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(dataOf(id));
  return Buffer.concat([nonce, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('hex');
};

const unseal = (key: Buffer, id: string, sealed: string): string => {
  const bytes = Buffer.from(sealed, 'hex');
  const end = bytes.length - TAG_BYTES;
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(dataOf(id))
    .setAuthTag(bytes.subarray(end));
  return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, end)), decipher.final()]).toString('utf8');
};
