/** Values of `error.type` in an error answer of the Messages API. */
export type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'billing_error'
  | 'permission_error'
  | 'not_found_error'
  | 'request_too_large'
  | 'rate_limit_error'
  | 'api_error'
  | 'timeout_error'
  | 'overloaded_error';

const TYPES: Readonly<Record<number, ErrorType>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/** The error type that goes with an HTTP status. */
export const typeOfStatus = (status: number): ErrorType =>
  TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');

/** A request that is refused the way the real API refuses it. */
export class Refusal extends Error {
  readonly status: number;
  readonly type: string;
  readonly errorCode: string | undefined;

  constructor(status: number, message: string, type: string = typeOfStatus(status), errorCode?: string) {
    super(message);
    this.errorCode = errorCode;
    this.name = 'Refusal';
    this.status = status;
    this.type = type;
  }
}

/** 400 `invalid_request_error`. */
export const invalid = (message: string): Refusal => new Refusal(400, message);

/** The error body of the Messages API. */
export interface ErrorAnswer {
  readonly type: 'error';
  readonly error: {
    readonly type: string;
    readonly message: string;
    readonly details?: { readonly error_code: string };
  };
  readonly request_id: string;
}

export const toErrorAnswer = (type: string, message: string, requestId: string, errorCode?: string): ErrorAnswer => ({
  type: 'error',
  error: { type, message, ...(errorCode === undefined ? {} : { details: { error_code: errorCode } }) },
  request_id: requestId,
});
