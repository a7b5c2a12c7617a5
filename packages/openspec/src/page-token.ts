import { CloutError } from '@cloutagent/contract';

/** Where a change stands in the listing: by creation, newest first, then by key. */
export interface Place {
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Unique name of its folder. */
  readonly key: string;
}

/** The place after which the next page begins; opaque to callers. */
export const toToken = ({ createdAt, key }: Place): string =>
  Buffer.from(JSON.stringify([createdAt, key]), 'utf8').toString('base64url');

/** Index of the first place behind the token's, in a list that is sorted newest first. @throws INVALID_INPUT */
export const afterToken = (sorted: readonly Place[], token: string): number => {
  const last = parseToken(token);
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const place = sorted[middle];
    if (place !== undefined && isBehind(place, last)) high = middle;
    else low = middle + 1;
  }
  return low;
};

const isBehind = (place: Place, last: Place): boolean =>
  place.createdAt < last.createdAt || (place.createdAt === last.createdAt && place.key > last.key);

const parseToken = (token: string): Place => {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    const [createdAt, key] = Array.isArray(value) ? (value as unknown[]) : [];
    if (typeof createdAt === 'number' && typeof key === 'string') return { createdAt, key };
  } catch {
    /* told below */
  }
  throw new CloutError('INVALID_INPUT', 'pageToken: is not a token of this listing', {
    hint: 'Leave pageToken out to start from the first page',
    details: { field: 'pageToken' },
  });
};
