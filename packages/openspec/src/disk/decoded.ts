import { isUtf8 } from 'node:buffer';

/** Below this, reading the bytes anew costs less than comparing them. */
const MIN_BYTES = 4096;
/** The specifications that a person works on at one time. */
const MAX_BYTES = 4 * 1024 * 1024;

interface Decoded {
  readonly bytes: Buffer;
  readonly text: string;
}

/** By file, the one that was used longest ago first. */
const known = new Map<string, Decoded>();
let kept = 0;

/**
 * Text of the bytes of a file; undefined where they are no UTF-8. A file that holds the same bytes as before gives the
 * same string, which is neither decoded nor looked through again by whoever remembers what it read in it.
 */
export const decodedText = (file: string, bytes: Buffer): string | undefined => {
  if (bytes.length < MIN_BYTES || bytes.length > MAX_BYTES / 4) {
    return isUtf8(bytes) ? bytes.toString() : undefined;
  }
  const before = known.get(file);
  if (before !== undefined) forget(file, before);
  const isSame = before !== undefined && before.bytes.equals(bytes);
  if (!isSame && !isUtf8(bytes)) return undefined;
  const decoded = isSame ? before : { bytes: Buffer.from(bytes), text: bytes.toString() };
  known.set(file, decoded);
  kept += decoded.bytes.length;
  for (const [other, old] of known) {
    if (kept <= MAX_BYTES) break;
    forget(other, old);
  }
  return decoded.text;
};

const forget = (file: string, { bytes }: Decoded): void => {
  known.delete(file);
  kept -= bytes.length;
};
