// Apart from the schemas, so that who reads files of changes loads none of them.

/** Slugs that `change.open` accepts (seed 002); reserved names are refused on top of it. */
export const SLUG_PATTERN = '^[a-z0-9](?:[a-z0-9\\-]{1,62})[a-z0-9]$';
/** The same in words, for whoever gave another. */
export const SLUG_HINT = 'A slug has 3 to 64 small letters, digits and single hyphens, like add-login';

export const TEMPLATES = ['feature', 'bugfix', 'chore'] as const;
