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

  it('[T10.table] has a status, a hint in whole words and an exit code for every code, and no row that waits in vain', () => {
    for (const [code, { status, retryable, exit, hint }] of Object.entries(ERRORS)) {
      expect([code, status >= 400 && status < 600, exit >= 1 && exit <= 7]).toEqual([code, true, true]);
      expect(hint, code).toMatch(/^[A-Z\p{Ll}].{7,}[^.]$/u);
      // A script that waits looks at the exit code, a client at the table: both must say the same.
      expect([code, exit !== 7 || retryable]).toEqual([code, true]);
    }
  });

  it('[T10.table] answers the codes of the seed with its statuses', () => {
    const seed = {
      INVALID_TOOL_NAME: 400,
      TOOL_NOT_FOUND: 404,
      INVALID_INPUT: 400,
      TOOL_REGISTRY_UNAVAILABLE: 500,
      TOOL_EXECUTION_ERROR: 500,
      INVALID_TOOL_RESULT: 500,
      RESPONSE_TOO_LARGE: 413,
      AUTHENTICATION_FAILED: 401,
      RATE_LIMIT_EXCEEDED: 429,
      VALIDATION_ERROR: 400,
      INTERNAL_ERROR: 500,
      UNKNOWN_ERROR: 500,
      CHANGE_NOT_FOUND: 404,
      CHANGE_ALREADY_EXISTS: 409,
      CHANGE_ALREADY_ARCHIVED: 409,
      TEMPLATE_NOT_FOUND: 404,
    };
    for (const [code, status] of Object.entries(seed)) expect([code, errorSpec(code).status]).toEqual([code, status]);
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
