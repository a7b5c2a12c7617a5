/**
 * The same for all names that some file system, or some reader, takes for one: other case, other encoding of an accent,
 * invisible characters.
 */
export const foldedName = (name: string): string =>
  name
    .normalize('NFKC')
    .replaceAll(/[\p{Cf}\p{Cc}\p{Default_Ignorable_Code_Point}]/gu, '')
    .toLowerCase()
    .normalize('NFKC');
