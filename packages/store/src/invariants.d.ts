import type { Writer } from './writer.ts';
/** What is wrong with the stored data, a sentence each; empty where all holds. Reads everything. */
export declare const checkInvariants: (writer: Writer) => Promise<readonly string[]>;
