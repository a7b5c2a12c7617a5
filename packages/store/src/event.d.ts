import type { RunEventBody } from '@cloutagent/contract';
import type { Guarded } from './ask.ts';
/** An event with the next number of its run. The unit that it stands in has written the run's row before, so that the number has no rival. */
export declare const insertEvent: (runId: string, body: RunEventBody, now: number) => Guarded;
