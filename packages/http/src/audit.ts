import { appendFile, rename, stat } from 'node:fs/promises';
import type { AuditEvent, Log } from './types.ts';

/** Takes whole lines and keeps them in order. */
export interface LineFile {
  append(line: string): void;
  /** Resolves when what was appended so far is in the file. */
  flush(): Promise<void>;
}

/** Two files of this size are kept: about 80,000 requests. */
const MAX_FILE_BYTES = 10 * 1024 * 1024;
/** A disk that stands still must not fill the memory; what is lost then is said in the log. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/** Appends lines to `file` (mode 0600); a full one becomes `file.1` and replaces the one before. */
export const openLineFile = (file: string, log: Log, maxBytes = MAX_FILE_BYTES): LineFile => {
  let waiting: string[] = [];
  let waitingBytes = 0;
  let dropped = 0;
  let writing: Promise<void> | undefined;

  const turn = async (coming: number): Promise<void> => {
    try {
      const { size } = await stat(file);
      if (size > 0 && size + coming > maxBytes) await rename(file, `${file}.1`);
    } catch {
      // Not there yet.
    }
  };

  const write = async (): Promise<void> => {
    while (waiting.length > 0) {
      const text = waiting.join('');
      const lost = dropped;
      waiting = [];
      waitingBytes = 0;
      dropped = 0;
      try {
        await turn(Buffer.byteLength(text));
        await appendFile(file, text, { mode: 0o600 });
        if (lost > 0) log('error', 'audit lines were lost: the disk was too slow', { lost });
      } catch (error) {
        log('error', 'audit lines were lost', { error });
      }
    }
    writing = undefined;
  };

  return {
    append(line) {
      const text = `${line}\n`;
      if (waitingBytes + text.length > MAX_WAITING_BYTES) {
        dropped += 1;
        return;
      }
      waiting.push(text);
      waitingBytes += text.length;
      writing ??= write();
    },
    flush: async () => {
      await writing;
    },
  };
};

/** Where audit lines go. */
export interface Audit {
  write(event: AuditEvent): void;
  flush(): Promise<void>;
}

/** @param target a file, or `stderr` for a line of the log */
export const openAudit = (target: string, log: Log): Audit => {
  if (target === 'stderr') return { write: (event) => log('info', 'audit', event), flush: () => Promise.resolve() };
  const file = openLineFile(target, log);
  return { write: (event) => file.append(JSON.stringify(event)), flush: () => file.flush() };
};
