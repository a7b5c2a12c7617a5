import type { Readable } from 'node:stream';
import { MessageChannel } from 'node:worker_threads';
import type { Clock } from '@cloutagent/kit';
import { createByteRing } from './byte-ring.ts';

/** Enough for a stack trace and the lines before it; the rest of a flood is of no use to anybody. */
const KEPT_BYTES = 64 * 1024;
/** 20 MB a second is more than any log; whoever writes faster is slowed down by its own pipe, instead of taking a core of ours. */
const WINDOW_MS = 50;
const WINDOW_BYTES = 1024 * 1024;
/** Smaller chunks may share their memory with others. */
const OWN_BYTES = 16 * 1024;

const { port1: nobody, port2 } = new MessageChannel();
port2.close();

/** What is sent to nobody is freed at once; the garbage collector would let some 30 MB of a flood pile up first. */
const free = ({ buffer, byteLength }: Buffer): void => {
  if (byteLength < OWN_BYTES || byteLength !== buffer.byteLength || !(buffer instanceof ArrayBuffer)) return;
  nobody.postMessage(undefined, [buffer]);
};

/** Reads a stream for as long as it lasts, whatever comes, and keeps its end. The stream must have no other reader. */
export const drain = (stream: Readable, clock: Clock): { text(): string } => {
  const ring = createByteRing(KEPT_BYTES);
  let since = clock.monotonic();
  let left = WINDOW_BYTES;
  stream.on('data', (chunk: Buffer) => {
    const now = clock.monotonic();
    if (now - since >= WINDOW_MS) {
      since = now;
      left = WINDOW_BYTES;
    }
    left -= chunk.length;
    ring.push(chunk);
    free(chunk);
    if (left > 0) return;
    stream.pause();
    void clock.sleep(WINDOW_MS).then(() => stream.resume());
  });
  return { text: () => ring.text() };
};
