const SENTINEL = /^=\?base64\?((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)\?=$/u;

/**
 * Values that a header cannot carry are sent in Base64 between marks (SEP-2243).
 * @returns the value; undefined where it is marked and cannot be read
 */
export const decodeHeaderValue = (sent: string): string | undefined => {
  const value = sent.trim();
  if (!value.startsWith('=?base64?') || !value.endsWith('?=')) return value;
  const encoded = SENTINEL.exec(value)?.[1];
  if (encoded === undefined) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(encoded, 'base64'));
  } catch {
    return undefined;
  }
};
