import { codeOf, errorSpec, type CloutError } from '@cloutagent/contract';

/** What a person is told about a failed call. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Any thrown value → what may be shown. A value without a code is a defect of the page itself. */
export const toProblem = (error: unknown): Problem => {
  const code = codeOf(error);
  if (code !== undefined && error instanceof Error) {
    const known = error as Partial<CloutError> & Error;
    return {
      code,
      message: error.message,
      hint: known.hint ?? errorSpec(code).hint,
      ...(known.details === undefined ? {} : { details: known.details }),
    };
  }
  return {
    code: 'PAGE_ERROR',
    message: 'Something went wrong in this page',
    hint: 'Reload the page; the server and its runs are not affected',
  };
};

/** Would asking again help? */
export const isRetryable = (error: unknown): boolean => {
  const code = codeOf(error);
  return code !== undefined && errorSpec(code).retryable;
};

/** The caller is not allowed to: a token would help. */
export const needsLogin = (error: unknown): boolean => {
  const code = codeOf(error);
  return code === 'FORBIDDEN' || code === 'AUTHENTICATION_FAILED';
};
