import { SLUG_PATTERN } from '@cloutagent/contract';

/** Longest slug that the pattern admits. */
const MAX_SLUG = 64;

/** A title as a slug: accents fall off, what is no letter or digit becomes a dash. May be too short to be valid. */
export const suggestSlug = (title: string): string =>
  title
    .replaceAll('ß', 'ss')
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/gu, '-')
    .replaceAll(/^-+|-+$/gu, '')
    .slice(0, MAX_SLUG)
    .replace(/-+$/u, '');

const PATTERN = new RegExp(SLUG_PATTERN, 'u');

/** What is wrong with a slug, in words; undefined where it is fine. */
export const slugProblem = (slug: string): string | undefined => {
  if (PATTERN.test(slug)) return undefined;
  if (slug.length < 3) return 'At least three characters';
  if (slug.length > MAX_SLUG) return `At most ${MAX_SLUG} characters`;
  return 'Small letters, digits and dashes; it begins and ends with a letter or digit';
};
