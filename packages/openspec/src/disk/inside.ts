import path from 'node:path';

/** Is `inner` the folder `outer` or something in it? Both absolute. */
export const isInside = (outer: string, inner: string): boolean => {
  // What begins like the folder and has no dots to climb with is inside; the rest needs a closer look.
  if (inner.startsWith(`${outer}${path.sep}`) && !inner.includes(`${path.sep}..`)) return true;
  const relative = path.relative(outer, inner);
  return relative === '' || (!relative.startsWith(`..${path.sep}`) && relative !== '..' && !path.isAbsolute(relative));
};
