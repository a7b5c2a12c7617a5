import { invalid } from '../refusal.ts';
import { readOneOf, readRecord, readString } from './read.ts';

type Fields = Readonly<Record<string, unknown>>;

const IMAGES = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'];
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/u;
const LARGEST_IMAGE = 5 * 1024 * 1024;

/** Where an image comes from: bytes, an address or a file that was uploaded. */
export const checkImageSource = (value: unknown, path: string): void => {
  const source = readRecord(value, path);
  if (readOneOf(source['type'], `${path}.type`, ['base64', 'url', 'file']) !== 'base64') checkReference(source, path);
  else checkBytes(source, path, IMAGES, LARGEST_IMAGE);
};

/** Where a document comes from: a PDF's bytes, plain text, blocks of content, an address or a file. */
export const checkDocumentSource = (value: unknown, path: string): void => {
  const source = readRecord(value, path);
  const type = readOneOf(source['type'], `${path}.type`, ['base64', 'text', 'content', 'url', 'file']);
  if (type === 'base64') checkBytes(source, path, ['application/pdf'], Number.POSITIVE_INFINITY);
  else if (type === 'text') {
    readOneOf(source['media_type'], `${path}.media_type`, ['text/plain']);
    if (readString(source['data'], `${path}.data`) === '') throw invalid(`${path}.data: document must not be empty`);
  } else if (type === 'url' || type === 'file') checkReference(source, path);
};

const checkReference = (source: Fields, path: string): void => {
  if (source['type'] === 'file') {
    readString(source['file_id'], `${path}.file_id`);
    return;
  }
  const url = readString(source['url'], `${path}.url`);
  if (!/^https?:\/\/./u.test(url)) throw invalid(`${path}.url: Input should be a valid URL`);
};

const checkBytes = (source: Fields, path: string, types: readonly string[], largest: number): void => {
  readOneOf(source['media_type'], `${path}.media_type`, types);
  const data = readString(source['data'], `${path}.data`);
  if (!BASE64.test(data) || data.length % 4 !== 0) throw invalid(`${path}.data: invalid base64 data`);
  const bytes = (data.length / 4) * 3;
  if (bytes > largest)
    throw invalid(`${path}.data: image exceeds ${largest / 1024 / 1024} MB maximum: ${bytes} bytes > ${largest} bytes`);
};
