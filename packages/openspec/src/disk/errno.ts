/** Code of a Node file error, such as `ENOENT`; undefined for anything else. */
export const errnoOf = (error: unknown): string | undefined => {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return NAMELESS.get(error.code) ?? error.code;
};

/** Node has no name for a full quota: Linux says 122, macOS 69. */
const NAMELESS: ReadonlyMap<string, string> = new Map([
  ['Unknown system error -122', 'EDQUOT'],
  ['Unknown system error -69', 'EDQUOT'],
]);
