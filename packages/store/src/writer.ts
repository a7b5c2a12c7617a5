import { Worker } from 'node:worker_threads';
import { CloutError } from '@cloutagent/contract';
import { loadUnit, unloadOutcomes } from './cargo.ts';
import { fromFailure, toFailure } from './failure.ts';
import type { Cargo, CommitOrder, FromWorker, Outcome, SqlUnit, ToWorker, WorkerOptions } from './unit.ts';

/** Units that wait for the disk: every run in flight has a handful, so this is thousands of runs. */
const MAX_PENDING_UNITS = 10_000;

/** Characters of parameters that wait for the disk, and the most that one unit may carry. */
const MAX_PENDING_CHARS = 256 * 1024 * 1024;
const MAX_UNIT_CHARS = 64 * 1024 * 1024;

/** The thread that owns the database connection, as the rest of the process sees it. */
export interface Writer {
  /** Rejects where the unit failed (STORAGE_*, INTERNAL_ERROR); a guard that is not met is an outcome. */
  submit(unit: SqlUnit | CommitOrder): Promise<Answered>;
  /** Finishes what was submitted, then closes the database. */
  close(): Promise<void>;
  /** Ends the thread at once, as a crash would; what was not answered is rejected. */
  kill(): Promise<void>;
}

type Answered = Exclude<Outcome, { kind: 'failed' }>;

interface Pending {
  readonly chars: number;
  resolve(outcome: Answered): void;
  reject(error: Error): void;
}

/** As a bundle, also from source (module tests): a thread cannot load TypeScript on Node 20. */
const WORKER_URL = new URL('../dist/bundle/worker.js', import.meta.url);

/** Starts the thread; resolves when the database is open and migrated. Throws STORAGE_*. */
export const openWriter = async (options: WorkerOptions, workerUrl: URL = WORKER_URL): Promise<Writer> => {
  // Without this process's own flags: `--conditions` would lead the built file to TypeScript sources.
  const worker = new Worker(workerUrl, { workerData: options, name: 'store', execArgv: [] });
  const pending = new Map<number, Pending>();
  let nextId = 1;
  let pendingChars = 0;
  /** Set once the thread takes no more units. */
  let ended: Error | undefined;

  const { promise: opened, resolve: onOpened, reject: onUnopened } = deferred<void>();
  const { promise: exited, resolve: onExited } = deferred<void>();

  const end = (error: Error): void => {
    ended ??= error;
    onUnopened(error);
    const rejected = [...pending.values()];
    pending.clear();
    pendingChars = 0;
    for (const call of rejected) call.reject(error);
  };

  const settle = (id: number, outcome: Outcome): void => {
    const call = pending.get(id);
    if (call === undefined) return;
    pending.delete(id);
    pendingChars -= call.chars;
    // An idle thread must not keep the process from ending; one that closes must.
    if (pending.size === 0 && ended === undefined) worker.unref();
    if (outcome.kind === 'failed') call.reject(fromFailure(outcome.failure));
    else call.resolve(outcome);
  };

  worker.on('message', (message: FromWorker) => {
    if (message.type === 'ready') onOpened();
    else if (message.type === 'unopened') end(fromFailure(message.failure));
    else unloadOutcomes(message.outcomes, settle);
  });
  worker.on('messageerror', (cause) => end(died('sent what cannot be read', cause)));
  worker.on('error', (cause) => end(died('stopped with an error', cause)));
  worker.on('exit', (code) => {
    end(died(`ended with code ${code}`));
    onExited();
  });

  const post = (message: ToWorker): void => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(message);
  };

  let unsent: (readonly [id: number, unit: SqlUnit | CommitOrder])[] = [];
  /** All units of one turn in one message: a message costs as much as the units in it. */
  const send = (): void => {
    const units = unsent;
    unsent = [];
    if (units.length === 0) return;
    const cargo: Cargo<SqlUnit> = [];
    for (const [id, unit] of units) loadUnit(cargo, id, unit);
    try {
      post({ type: 'units', units: cargo });
    } catch (cause) {
      const failure = toFailure(cause);
      for (const [id] of units) settle(id, { kind: 'failed', failure });
    }
  };

  await opened;
  worker.unref();

  return {
    submit: (unit) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) throw ended;
        const chars = charsOf(unit);
        if (chars > MAX_UNIT_CHARS)
          throw new CloutError('PAYLOAD_TOO_LARGE', `${chars} characters are too much to store at once`);
        if (pending.size >= MAX_PENDING_UNITS || pendingChars + chars > MAX_PENDING_CHARS) {
          throw new CloutError('STORAGE_BUSY', `${pending.size} units are waiting for the database`);
        }
        const id = nextId++;
        // After all that this turn of the loop brings, from whatever socket.
        if (unsent.length === 0) setImmediate(send);
        unsent.push([id, unit]);
        if (pending.size === 0) worker.ref();
        pending.set(id, { chars, resolve, reject });
        pendingChars += chars;
      }),
    close: async () => {
      if (ended === undefined) {
        // Sent after all that was submitted, so the thread answers that first.
        ended = new CloutError('SHUTTING_DOWN', 'The store is closed');
        send();
        post({ type: 'close' });
        worker.ref();
      }
      await exited;
    },
    kill: async () => {
      await worker.terminate();
    },
  };
};

const died = (how: string, cause?: unknown): CloutError =>
  new CloutError('STORAGE_FAILED', `The thread that owns the database ${how}; nothing more can be stored`, {
    hint: 'Start CloutAgent again; what was confirmed is kept, what was not may or may not be stored',
    ...(cause === undefined ? {} : { cause }),
  });

const charsOf = (unit: SqlUnit | CommitOrder): number => {
  let chars = 0;
  if (unit.mode === 'commit') {
    chars = unit.others?.length ?? 0;
    for (const step of unit.steps) chars += step.input.length + step.output.length + step.name.length;
    for (const event of unit.events) chars += event.body.length;
    return chars;
  }
  for (const statement of unit.statements) {
    for (const param of statement.params) if (typeof param === 'string') chars += param.length;
  }
  return chars;
};

const deferred = <T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } => {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
};
