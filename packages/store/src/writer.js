import { Worker } from 'node:worker_threads';
import { CloutError } from '@cloutagent/contract';
import { fromFailure } from './failure.js';
/** Units that wait for the disk: every run in flight has a handful, so this is thousands of runs. */
const MAX_PENDING_UNITS = 10_000;
/** Characters of parameters that wait for the disk, and the most that one unit may carry. */
const MAX_PENDING_CHARS = 256 * 1024 * 1024;
const MAX_UNIT_CHARS = 64 * 1024 * 1024;
/** From source (module tests) a thread cannot load TypeScript on Node 20, so that the built file is used. */
const defaultWorkerUrl = () =>
  import.meta.url.endsWith('.ts')
    ? new URL('../dist/worker.js', import.meta.url)
    : new URL('./worker.js', import.meta.url);
/** Starts the thread; resolves when the database is open and migrated. Throws STORAGE_*. */
export const openWriter = async (options, workerUrl = defaultWorkerUrl()) => {
  // Without this process's own flags: `--conditions` would lead the built file to TypeScript sources.
  const worker = new Worker(workerUrl, { workerData: options, name: 'store', execArgv: [] });
  const pending = new Map();
  let nextId = 1;
  let pendingChars = 0;
  /** Set once the thread takes no more units. */
  let ended;
  const { promise: opened, resolve: onOpened, reject: onUnopened } = deferred();
  const { promise: exited, resolve: onExited } = deferred();
  const end = (error) => {
    ended ??= error;
    onUnopened(error);
    const rejected = [...pending.values()];
    pending.clear();
    pendingChars = 0;
    for (const call of rejected) call.reject(error);
  };
  const settle = (id, outcome) => {
    const call = pending.get(id);
    if (call === undefined) return;
    pending.delete(id);
    pendingChars -= call.chars;
    // An idle thread must not keep the process from ending; one that closes must.
    if (pending.size === 0 && ended === undefined) worker.unref();
    if (outcome.kind === 'failed') call.reject(fromFailure(outcome.failure));
    else call.resolve(outcome);
  };
  worker.on('message', (message) => {
    if (message.type === 'ready') onOpened();
    else if (message.type === 'unopened') end(fromFailure(message.failure));
    else for (const [id, outcome] of message.outcomes) settle(id, outcome);
  });
  worker.on('messageerror', (cause) => end(died('sent what cannot be read', cause)));
  worker.on('error', (cause) => end(died('stopped with an error', cause)));
  worker.on('exit', (code) => {
    end(died(`ended with code ${code}`));
    onExited();
  });
  const post = (message) => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(message);
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
        post({ type: 'unit', id, unit });
        pending.set(id, { chars, resolve, reject });
        pendingChars += chars;
        worker.ref();
      }),
    close: async () => {
      if (ended === undefined) {
        // Sent after all that was submitted, so the thread answers that first.
        ended = new CloutError('SHUTTING_DOWN', 'The store is closed');
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
const died = (how, cause) =>
  new CloutError('STORAGE_FAILED', `The thread that owns the database ${how}; nothing more can be stored`, {
    hint: 'Start CloutAgent again; what was confirmed is kept, what was not may or may not be stored',
    ...(cause === undefined ? {} : { cause }),
  });
const charsOf = (unit) => {
  let chars = 0;
  for (const statement of unit.statements) {
    for (const param of statement.params) if (typeof param === 'string') chars += param.length;
  }
  return chars;
};
const deferred = () => {
  let resolve = () => undefined;
  let reject = () => undefined;
  const promise = new Promise((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
};
//# sourceMappingURL=writer.js.map
