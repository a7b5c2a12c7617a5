/**
 * The same for all names that some file system, or some reader, takes for one: other case, other encoding of an accent,
 * invisible characters.
 */
export const foldedName = (name: string): string =>
  PLAIN.test(name)
    ? name.toLowerCase()
    : name
        .normalize('NFKC')
        .replaceAll(/[\p{Cf}\p{Cc}\p{Default_Ignorable_Code_Point}]/gu, '')
        .toLowerCase()
        .normalize('NFKC');

/** Nothing to fold but the case, as in almost every name; the rest costs ten times as much. */
const PLAIN = /^[\x20-\x7e]*$/u;
