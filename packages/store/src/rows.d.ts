import { type Usage } from '@cloutagent/contract';
import type { Row } from './libsql.ts';
/** Of a run that can still be driven; beside it `finished_at` is null. */
export declare const UNFINISHED = "status IN ('running', 'waiting', 'paused', 'cancelling')";
export declare const textOrNull: (row: Row, name: string) => string | null;
export declare const text: (row: Row, name: string) => string;
export declare const intOrNull: (row: Row, name: string) => number | null;
export declare const int: (row: Row, name: string) => number;
/** JSON that this package wrote; the caller names its type. */
export declare const json: (row: Row, name: string) => unknown;
/** `undefined` has no JSON and is stored as null. */
export declare const toJson: (value: unknown) => string;
/** A column of a table's `usage` group; sums give null where there is no row. */
export declare const usage: (row: Row) => Usage;
