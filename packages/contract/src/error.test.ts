import { describe, expect, it } from 'vitest';
import { CloutError, codeOf, ERRORS, errorSpec, toErrorBody } from './error.ts';

describe('errors', () => {
  it('takes hint and status of a code from the one table [T10.table]', () => {
    const error = new CloutError('CHANGE_LOCKED', "Change 'x' is held by ann");
    expect(toErrorBody(error)).toEqual({
      code: 'CHANGE_LOCKED',
      message: "Change 'x' is held by ann",
      hint: ERRORS.CHANGE_LOCKED.hint,
    });
    expect(errorSpec('CHANGE_LOCKED').status).toBe(409);
  });

  it('shows nothing of an error that is not ours [T10.table]', () => {
    const body = toErrorBody(new Error('password=hunter2 at /home/ann'));
    expect(body.code).toBe('INTERNAL_ERROR');
    expect(JSON.stringify(body)).not.toContain('hunter2');
    expect(codeOf(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBeUndefined();
    expect(codeOf({ code: 'FORBIDDEN' })).toBeUndefined();
  });

  it('is not confused by names of Object.prototype', () => {
    expect(errorSpec('constructor')).toBe(ERRORS.UNKNOWN_ERROR);
  });
});
