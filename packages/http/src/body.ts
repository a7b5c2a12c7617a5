import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { CloutError } from '@cloutagent/contract';

/** A tool call or a REST body is a few KiB; a rationale may have 20,000 characters. */
export const DEFAULT_BODY_BYTES = 256 * 1024;
/** Deeper values parse, but break recursive readers further in. */
const MAX_DEPTH = 64;
/** Bounds what a schema check costs; 200,000 keys took a quarter of a second. */
export const DEFAULT_JSON_KEYS = 10_000;

export const hasBody = (request: IncomingMessage): boolean =>
  request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;

const refuseType = (message: string): CloutError => new CloutError('UNSUPPORTED_MEDIA_TYPE', message);

/**
 * A page of another site can post forms and untyped bodies without a preflight, always with an Origin; so those are
 * read as JSON only where neither Origin nor Cookie is sent, which is what `curl -d` does.
 */
const checkMediaType = (request: IncomingMessage): void => {
  const { 'content-type': type, 'content-encoding': encoding, origin, cookie } = request.headers;
  if (type === 'application/json' && encoding === undefined) return;
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    throw refuseType('Compressed bodies are not read');
  const [mediaType = '', ...parameters] = (type ?? '').toLowerCase().split(';');
  const charset = parameters.find((parameter) => parameter.trim().startsWith('charset='))?.split('=')[1];
  if (charset !== undefined && !/^\s*"?utf-?8"?\s*$/u.test(charset)) throw refuseType('Only UTF-8 is read');
  const essence = mediaType.trim();
  if (essence === 'application/json' || essence.endsWith('+json')) return;
  const untyped = essence === '' || essence === 'application/x-www-form-urlencoded';
  if (!untyped || origin !== undefined || cookie !== undefined) throw refuseType('The body must be application/json');
};

const tooLarge = (limit: number): CloutError =>
  new CloutError('PAYLOAD_TOO_LARGE', `The body is larger than ${limit} bytes`, { details: { limitBytes: limit } });

const readBytes = (request: IncomingMessage, limit: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let size = 0;
    let over = false;
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size <= limit) {
        chunks.push(chunk);
        return;
      }
      // Whoever reads the rest, to throw it away, must not do it twice.
      request.off('data', onData);
      chunks = [];
      reject(tooLarge(limit));
    };
    // Each comes once, and what comes after the first of them changes nothing; taking them off costs more.
    const onEnd = (): void => {
      over = true;
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size));
    };
    const onLost = (): void => {
      if (!over) reject(new CloutError('VALIDATION_ERROR', 'The body was cut off'));
    };
    request.on('data', onData).on('end', onEnd).on('error', onLost).on('close', onLost);
  });

/** Measures before parsing, in one pass without recursion: brackets and colons outside of strings. */
const checkShape = (text: string, maxKeys: number): void => {
  let depth = 0;
  let keys = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const char = text.charCodeAt(index);
    if (inString) {
      if (char === 0x5c) index += 1;
      else if (char === 0x22) inString = false;
    } else if (char === 0x22) inString = true;
    else if (char === 0x7b || char === 0x5b) depth += 1;
    else if (char === 0x7d || char === 0x5d) depth -= 1;
    else if (char === 0x3a) keys += 1;
    if (depth > MAX_DEPTH || keys > maxKeys) {
      throw new CloutError(
        'VALIDATION_ERROR',
        `The body is nested deeper than ${MAX_DEPTH} levels or has more than ${maxKeys} keys`,
        {
          details: { maxDepth: MAX_DEPTH, maxKeys },
        },
      );
    }
  }
};

const dropProto = (key: string, value: unknown): unknown => (key === '__proto__' ? undefined : value);

/** Text → JSON value with the limits of a body; a `__proto__` member is left out. VALIDATION_ERROR. */
export const parseJson = (text: string, maxKeys = DEFAULT_JSON_KEYS): unknown => {
  checkShape(text, maxKeys);
  try {
    // The walk costs, and the name can only be there in plain or with an escaped underscore.
    return text.includes('__proto__') || text.includes('\\u005')
      ? (JSON.parse(text, dropProto) as unknown)
      : (JSON.parse(text) as unknown);
  } catch (cause) {
    throw new CloutError('VALIDATION_ERROR', 'The body is not valid JSON', { cause });
  }
};

/**
 * Reads a request's body as JSON, undefined where there is none.
 * @param proceed called before the first byte is read: answers `Expect: 100-continue`
 */
export const readJson = async (
  request: IncomingMessage,
  { limit, maxKeys }: { readonly limit: number; readonly maxKeys: number },
  proceed: () => void,
): Promise<unknown> => {
  if (!hasBody(request)) return undefined;
  checkMediaType(request);
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  proceed();
  const bytes = await readBytes(request, limit);
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw new CloutError('VALIDATION_ERROR', 'The body is not valid UTF-8');
  const text = bytes.toString();
  // A byte order mark is no part of the JSON behind it.
  return parseJson(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text, maxKeys);
};
