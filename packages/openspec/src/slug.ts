import { CloutError, SLUG_HINT, SLUG_PATTERN } from '@cloutagent/contract';

const PATTERN = new RegExp(SLUG_PATTERN, 'u');
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)$/u;
/** Names that an object has by itself, in the only spelling that the pattern lets through. */
const INHERITED = new Set(
  [...Object.getOwnPropertyNames(Object.prototype), 'prototype'].map((name) => name.toLowerCase()),
);

/**
 * Refuses what must not become the name of a new change.
 * @throws INVALID_INPUT with the reason
 */
export const assertNewSlug = (slug: string): void => {
  const reason = !PATTERN.test(slug)
    ? `must match pattern '${SLUG_PATTERN}'`
    : slug.includes('--')
      ? 'must not contain two hyphens in a row, which OpenSpec refuses'
      : slug === 'archive' || DEVICE.test(slug) || INHERITED.has(slug)
        ? `"${slug}" is a reserved name`
        : undefined;
  if (reason !== undefined) {
    throw new CloutError('INVALID_INPUT', `slug: ${reason}`, {
      hint: SLUG_HINT,
      details: { field: 'slug', reason },
    });
  }
};

/** Can `name` be the folder of a change that exists already? Wider than the slug rule: foreign names stay readable. */
export const isChangeName = (name: string): boolean =>
  name !== '' && name !== 'archive' && !name.startsWith('.') && !/[/\\\0]/u.test(name) && name.length <= 255;

/** @throws INVALID_INPUT for a name that cannot be one folder inside `changes` */
export const assertChangeName = (name: string): void => {
  if (!isChangeName(name)) {
    throw new CloutError('INVALID_INPUT', 'slug: is not the name of a change', { details: { field: 'slug' } });
  }
};
