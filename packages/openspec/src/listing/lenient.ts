import { codeOf } from '@cloutagent/contract';
import { errnoOf } from '../disk/errno.ts';
import { readNow, type ReadNow } from '../disk/read-now.ts';

/** One broken or hostile file must not hide all other changes: it counts as absent here, and is refused when read. */
export const readLenient = (boundary: string, file: string, atMost?: number): ReadNow | undefined => {
  try {
    return readNow(boundary, file, atMost);
  } catch (error) {
    // A disk that fails says nothing about the file: a listing without it would be wrong.
    if (codeOf(error) === 'STORAGE_FAILED') throw error;
    if (codeOf(error) !== undefined || errnoOf(error) === 'EACCES') return undefined;
    throw error;
  }
};
