import { CloutError, type Claim } from '@cloutagent/contract';
import type { Writer } from './writer.ts';
export declare const runNotFound: (runId: string) => CloutError;
export declare const runFinished: (runId: string, status: string) => CloutError;
/** Takes a run over. Throws RUN_NOT_FOUND, and RUN_NOT_RESUMABLE for one that is finished. */
export declare const claimRun: (writer: Writer, runId: string, now: number) => Promise<Claim>;
