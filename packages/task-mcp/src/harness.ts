/** What the tests of this room stand on; listed in no index. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFront, type FrontOptions, type Log } from '@cloutagent/http';
import { decodeSse, systemClock, type Clock, type SseEvent } from '@cloutagent/kit';
import { openProject, type Project } from '@cloutagent/openspec';
import type { Changes } from './changes.ts';
import { createTaskMcp, taskMcpOver, type TaskMcp, type TaskMcpDeps } from './task-mcp.ts';

const quiet: Log = () => undefined;

/**
 * The system's clock, but for the time that an answer may still choose its status: on a machine that is busy, errors
 * would come as events. Tests of that time have a clock of their own.
 */
const patientClock: Clock = {
  ...systemClock,
  // What is left of that time when somebody begins to count it.
  sleep: (ms, signal) => systemClock.sleep(ms > 100 && ms <= 200 ? 60_000 : ms, signal),
};

export interface Served extends AsyncDisposable {
  readonly url: string;
  readonly root: string;
  /** POST with the headers of the seed's curl lines. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  /** Ends the server as a stop does. */
  drain(ms: number): Promise<void>;
}

export type ServeOptions = Partial<TaskMcpDeps> & {
  readonly front?: Partial<FrontOptions>;
  readonly project?: Project;
};

const listen = async (taskMcp: TaskMcp, root: string, clock: Clock, options: ServeOptions): Promise<Served> => {
  const front = createFront({
    routes: taskMcp.routes,
    tokens: { user: [], admin: [] },
    allowedOrigins: [],
    clock,
    log: quiet,
    ...options.front,
  });
  const { url } = await front.listen({ port: 0, host: '127.0.0.1' });
  return {
    url,
    root,
    post: (path, body, headers = {}) =>
      fetch(url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer devtoken', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    drain: (ms) => front.drain(ms),
    async [Symbol.asyncDispose]() {
      front.server.closeAllConnections();
      await front.drain(0);
      await rm(root, { recursive: true, force: true });
    },
  };
};

const temporaryRoot = (): Promise<string> => mkdtemp(join(tmpdir(), 'task-mcp-'));

/** The real thing on an empty folder. */
export const serveProject = async (options: ServeOptions = {}): Promise<Served> => {
  const clock = options.clock ?? patientClock;
  const root = await temporaryRoot();
  const project = options.project ?? (await openProject(root, { clock, caller: 'tester' }));
  return listen(createTaskMcp({ log: quiet, version: '9.9.9', ...options, clock, project }), root, clock, options);
};

/** The server over changes that do what a test needs. */
export const serveChanges = async (changes: Partial<Changes>, options: ServeOptions = {}): Promise<Served> => {
  const clock = options.clock ?? patientClock;
  const root = await temporaryRoot();
  const refuse = (): Promise<never> => Promise.reject(new Error('not part of this test'));
  const whole: Changes = {
    root,
    openspecDir: join(root, 'openspec'),
    open: refuse,
    archive: refuse,
    list: refuse,
    resources: refuse,
    read: refuse,
    watch: () => () => undefined,
    ...changes,
  };
  return listen(taskMcpOver(whole, { log: quiet, version: '9.9.9', ...options, clock }), root, clock, options);
};

async function* textOf(response: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  // The global type of a response's body does not say what its chunks are.
  const body = response.body as AsyncIterable<Uint8Array> | null;
  for await (const chunk of body ?? []) yield decoder.decode(chunk, { stream: true });
}

export const eventsOf = (response: Response): AsyncGenerator<SseEvent> => decodeSse(textOf(response));

export const allEventsOf = async (response: Response): Promise<SseEvent[]> => {
  const events: SseEvent[] = [];
  for await (const event of eventsOf(response)) events.push(event);
  return events;
};

export const linesOf = async (response: Response): Promise<Record<string, unknown>[]> =>
  (await response.text())
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** A clock that stands still until `advance`. */
export interface ManualClock extends Clock {
  advance(ms: number): void;
  sleepers(): number;
}

export const manualClock = (): ManualClock => {
  let time = 0;
  const sleeping = new Set<{ readonly at: number; readonly wake: () => void }>();
  return {
    now: () => 1_700_000_000_000 + time,
    monotonic: () => time,
    sleepers: () => sleeping.size,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { at: time + ms, wake: () => resolve() };
        const onAbort = (): void => {
          sleeping.delete(sleeper);
          reject(new Error('aborted'));
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        sleeping.add(sleeper);
      }),
    advance(ms) {
      time += ms;
      for (const sleeper of sleeping) {
        if (sleeper.at > time) continue;
        sleeping.delete(sleeper);
        sleeper.wake();
      }
    },
  };
};

/** Waits until the condition holds; the test's own time limit ends a wait in vain. */
export const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await systemClock.sleep(2);
};
