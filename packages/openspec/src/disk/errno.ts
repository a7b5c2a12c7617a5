/** Code of a Node file error, such as `ENOENT`; undefined for anything else. */
export const errnoOf = (error: unknown): string | undefined => {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return ('errno' in error ? NAMELESS.get(error.errno) : undefined) ?? error.code;
};

/** Node has no name for a full quota, and two spellings of that: Linux says 122, macOS 69. */
const NAMELESS: ReadonlyMap<unknown, string> = new Map([
  [-122, 'EDQUOT'],
  [-69, 'EDQUOT'],
]);
