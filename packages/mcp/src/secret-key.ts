import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CloutError } from '@cloutagent/contract';

const KEY = /^[0-9a-f]{64}$/u;
/** The one in use, and those of a change of keys that was cut off. */
const MAX_KEYS = 4;

/** Where the keys of secrets come from; the first one seals, the others open what was sealed before. */
export interface SecretKeys {
  /** For errors. */
  readonly place: string;
  /** None where there is no key yet. Throws SECRET_UNREADABLE for what is no key. */
  read(): Promise<readonly Buffer[]>;
  /** The first key of all. Throws SECRET_UNREADABLE where none can be kept. */
  make(): Promise<Buffer>;
  /** The key to seal everything with from now on; the old ones stay until `settle`. */
  next(): Promise<Buffer>;
  /** Nothing is sealed with another key any more. */
  settle(key: Buffer): Promise<void>;
}

const refuse = (message: string, hint: string): never => {
  throw new CloutError('SECRET_UNREADABLE', message, { hint });
};

const parse = (place: string, texts: readonly string[]): readonly Buffer[] => {
  if (texts.length > MAX_KEYS || !texts.every((text) => KEY.test(text)))
    refuse(`${place} is not a key of 64 hexadecimal digits`, 'Make one: openssl rand -hex 32');
  return texts.map((text) => Buffer.from(text, 'hex'));
};

/** Keys that whoever starts the process gives, with commas between them: new ones are put in front by them. */
export const givenKeys = (place: string, text: string): SecretKeys => {
  const read = async (): Promise<readonly Buffer[]> =>
    parse(
      place,
      text.split(',').map((part) => part.trim()),
    );
  const first = async (): Promise<Buffer> =>
    (await read())[0] ?? refuse(`${place} is empty`, 'Make a key: openssl rand -hex 32');
  return { place, read, make: first, next: first, settle: async () => undefined };
};

/** Keys in a file that only its owner reads, one a line. Without a file nothing can be sealed. */
export const keyFile = (file: string | undefined): SecretKeys => {
  if (file === undefined) {
    const none = async (): Promise<never> =>
      refuse('There is no place for the key of secrets', 'Set HOME, or CLOUT_SECRET_KEY: openssl rand -hex 32');
    return { place: 'nobody', read: async () => [], make: none, next: none, settle: async () => undefined };
  }
  const read = async (): Promise<readonly Buffer[]> => {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw error;
    }
    await chmod(file, 0o600);
    return parse(
      file,
      text.split('\n').filter((line) => line !== ''),
    );
  };
  const write = async (keys: readonly Buffer[]): Promise<void> => {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const staged = `${file}.${process.pid}`;
    const handle = await open(staged, 'w', 0o600);
    try {
      await handle.writeFile(keys.map((key) => `${key.toString('hex')}\n`).join(''));
      // A key that is lost is the loss of all that it sealed.
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(staged, file);
  };
  const fresh = async (): Promise<Buffer> => {
    const key = randomBytes(32);
    await write([key, ...(await read()).slice(0, MAX_KEYS - 1)]);
    return key;
  };
  return { place: file, read, make: fresh, next: fresh, settle: (key) => write([key]) };
};
