import * as z from 'zod';
import type { TempProject } from './project.ts';

/** One line of the simulator's log, written and synced before the answer, so it tells what was really asked. */
const LoggedRequest = z.object({
  seq: z.int(),
  idempotencyKey: z.string().nullable(),
  model: z.string().nullable(),
  status: z.int(),
  usage: z.record(z.string(), z.unknown()).nullable(),
  promptHash: z.string().nullable(),
});
export type LoggedRequest = z.infer<typeof LoggedRequest>;

const LOG_FILE = '.cloutagent/simulator/requests.jsonl';

export const readRequestLog = (project: TempProject): readonly LoggedRequest[] =>
  project
    .read(LOG_FILE)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => LoggedRequest.parse(JSON.parse(line)));
