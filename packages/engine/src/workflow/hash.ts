import { createHash } from 'node:crypto';
import { canonicalJson } from '@cloutagent/kit';

/** SHA-256 of a value's canonical JSON, 64 hex digits: equal values, equal hash. */
export const hashOf = (value: unknown): string => createHash('sha256').update(canonicalJson(value)).digest('hex');
