import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CloutError } from '@cloutagent/contract';
import type { ApiUsage } from './message.ts';

/** One request as the log keeps it. */
export interface LogEntry {
  /** Number of the request in the file, from 1. */
  readonly seq: number;
  /** ISO 8601, when it was answered. */
  readonly at: string;
  readonly path: string;
  readonly requestId: string;
  readonly idempotencyKey: string | null;
  readonly model: string | null;
  readonly stream: boolean;
  /** HTTP status of the answer; 0 where the scenario drops the connection or never answers. */
  readonly status: number;
  /** Final figures as they are or would be sent; null where nothing is billed. */
  readonly usage: ApiUsage | null;
  readonly stopReason: string | null;
  /** SHA-256 in hex of the canonical JSON of `{model, system, tools, messages}` as sent; null for a body that is no JSON object. */
  readonly promptHash: string | null;
  /** Rule of the scenario that answered, from 0. */
  readonly rule: number | null;
  readonly fault: string | null;
  readonly error: { readonly type: string; readonly message: string } | null;
}

export interface RequestLog {
  /** Resolves when the line is on the disk. */
  append(entry: Omit<LogEntry, 'seq'>): Promise<void>;
  close(): Promise<void>;
}

/** No entry is longer: every text in it is clipped. */
const TAIL_BYTES = 64 * 1024;
const LINE_START = '{"seq":';

/**
 * Append-only JSON lines; numbers go on where the file ends. Entries that arrive during a sync share the next one.
 * A last line without its end belongs to a request that was never answered and is cut off.
 */
export const openRequestLog = async (file: string): Promise<RequestLog> => {
  await mkdir(dirname(file), { recursive: true });
  const handle = await open(file, 'a+');
  let seq: number;
  try {
    seq = await resume(handle, file);
    await syncFolder(dirname(file));
  } catch (error) {
    await handle.close();
    throw error;
  }

  let waiting: { readonly line: string; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] =
    [];
  let writing: Promise<void> | undefined;
  let broken: Error | undefined;

  const drain = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        if (broken !== undefined) throw broken;
        await handle.appendFile(batch.map(({ line }) => line).join(''));
        await handle.datasync();
        for (const { resolve } of batch) resolve();
      } catch (error) {
        // Half a batch may be in the file: a further line could join the rest of a torn one.
        broken = error instanceof Error ? error : new Error('The request log cannot be written', { cause: error });
        for (const { reject } of batch) reject(error);
      }
    }
    writing = undefined;
  };

  return {
    append: (entry) =>
      new Promise((resolve, reject) => {
        seq += 1;
        waiting.push({ line: `${JSON.stringify({ seq, ...entry })}\n`, resolve, reject });
        writing ??= drain();
      }),
    async close() {
      await writing;
      await handle.close();
    },
  };
};

/** Cuts a torn last line off; resolves with the last number in the file. Touches nothing in a file of another kind. */
const resume = async (handle: FileHandle, file: string): Promise<number> => {
  const { size } = await handle.stat();
  const start = Math.max(0, size - TAIL_BYTES);
  const buffer = Buffer.alloc(size - start);
  await handle.read(buffer, 0, buffer.length, start);
  const end = buffer.lastIndexOf(0x0a) + 1;
  const last = buffer.subarray(0, end).toString('utf8').split('\n').at(-2);
  const torn = buffer.subarray(end).toString('utf8');
  const seq = last === undefined && start === 0 ? 0 : seqOf(last ?? '');
  if (seq === undefined || !(torn.startsWith(LINE_START) || LINE_START.startsWith(torn))) throw notOurs(file);
  if (torn !== '') {
    await handle.truncate(start + end);
    await handle.datasync();
  }
  return seq;
};

const seqOf = (line: string): number | undefined => {
  try {
    const { seq } = JSON.parse(line) as { seq?: unknown };
    return typeof seq === 'number' ? seq : undefined;
  } catch {
    return undefined;
  }
};

const notOurs = (file: string): CloutError =>
  new CloutError('VALIDATION_ERROR', `${file} is not a request log of the simulator`, {
    hint: 'Name another file with --log',
    details: { file },
  });

const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};
