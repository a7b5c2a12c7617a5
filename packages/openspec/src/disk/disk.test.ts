import { CloutError } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { readFailure, withStorageErrors } from './storage-error.ts';

const failed = (code: string): Error => Object.assign(new Error(code), { code });

describe('what a disk refuses', () => {
  it.each(['EIO', 'EMFILE', 'ENFILE'])('[F4] %s has a code, in reading and in writing', async (errno) => {
    expect(readFailure(failed(errno))).toMatchObject({ code: 'STORAGE_FAILED', details: { errno } });
    const writing = withStorageErrors(async () => Promise.reject(failed(errno)));
    await expect(writing).rejects.toMatchObject({ code: 'STORAGE_FAILED', details: { errno } });
  });

  it('keeps other errors as they are', async () => {
    expect(readFailure(failed('EACCES'))).toBeUndefined();
    expect(readFailure(new CloutError('FORBIDDEN', 'no'))).toBeUndefined();
    const writing = withStorageErrors(async () => Promise.reject(failed('EXDEV')));
    await expect(writing).rejects.toMatchObject({ code: 'EXDEV' });
  });
});
