import type { ErrorCode } from '@cloutagent/contract';
import { CloutError } from '@cloutagent/contract';
/** An error on its way between threads. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}
/** Any thrown value of the storage → the code that a caller may see; what SQLite said goes to `details`. */
export declare const toFailure: (error: unknown) => Failure;
export declare const fromFailure: (failure: Failure, cause?: unknown) => CloutError;
