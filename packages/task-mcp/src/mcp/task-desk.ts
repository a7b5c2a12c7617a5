import type { Clock } from '@cloutagent/kit';
import {
  CLIENT_CAPABILITIES_META_KEY,
  SERVER_INFO_META_KEY,
  type JSONRPCRequest,
  type JSONRPCResponse,
} from './sdk.ts';
import type { Channel, Sink } from './channel.ts';
import type { ServerInfo } from './factory.ts';
import { Task, TASKS_EXTENSION } from './task.ts';
import { CODE, errorAnswer, isObject, type RpcError } from './wire.ts';

/** Tasks of all callers; what has ended goes first. */
const MAX_TASKS = 4096;

/** A tool whose calls may become tasks. */
export interface TaskSupport {
  /** A client without the extension cannot call it at all. */
  readonly required?: boolean;
  /** Milliseconds that a call may take before it becomes a task; 0 makes a task of every call. */
  readonly patienceMs: number;
}

const METHODS = new Set(['tasks/get', 'tasks/update', 'tasks/cancel']);

const speaksTasks = ({ params }: JSONRPCRequest): boolean => {
  const meta = params?.['_meta'];
  const capabilities = isObject(meta) ? meta[CLIENT_CAPABILITIES_META_KEY] : undefined;
  const extensions = isObject(capabilities) ? capabilities['extensions'] : undefined;
  return isObject(extensions) && Object.hasOwn(extensions, TASKS_EXTENSION);
};

const missingExtension: RpcError = {
  code: CODE.missingCapability,
  message: `This needs a client with the extension ${TASKS_EXTENSION}`,
  data: { requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } } },
};

const unknownTask: RpcError = { code: CODE.invalidParams, message: 'There is no such task' };

/**
 * The Tasks extension over any server: a call that takes long is answered with a task, which its caller asks for,
 * answers and cancels by its id. Servers know nothing of it; they are called as ever.
 */
export class TaskDesk {
  readonly #clock: Clock;
  readonly #support: ReadonlyMap<string, TaskSupport>;
  readonly #serverInfo: ServerInfo;
  readonly #tasks = new Map<string, Task>();
  readonly #cancels = new WeakMap<Task, (reason: string) => void>();

  constructor(clock: Clock, support: ReadonlyMap<string, TaskSupport>, serverInfo: ServerInfo) {
    this.#clock = clock;
    this.#support = support;
    this.#serverInfo = serverInfo;
  }

  /**
   * Serves a request that is about tasks, or a call that may become one.
   * @returns undefined for every other request; else the function that cancels the call while it is none
   */
  serve(owner: string, channel: Channel, request: JSONRPCRequest, sink: Sink): ((reason: string) => void) | undefined {
    if (METHODS.has(request.method)) {
      sink.settle(this.#answer(owner, request), false);
      return () => undefined;
    }
    if (request.method !== 'tools/call') return undefined;
    const name = request.params?.['name'];
    const support = typeof name === 'string' ? this.#support.get(name) : undefined;
    if (support === undefined) return undefined;
    if (speaksTasks(request) && this.#hasRoom()) return this.#call(owner, channel, request, sink, support);
    if (support.required !== true) return undefined;
    sink.settle(errorAnswer(request.id, missingExtension), false);
    return () => undefined;
  }

  #call(owner: string, channel: Channel, request: JSONRPCRequest, sink: Sink, { patienceMs }: TaskSupport) {
    let task: Task | undefined;
    let settled = false;
    const patience = new AbortController();
    const run = (more: Readonly<Record<string, unknown>> = {}): ((reason: string) => void) =>
      channel.request(
        { ...request, params: { ...request.params, ...more } },
        {
          emit: (message) => {
            if (task === undefined) sink.emit(message);
          },
          settle: (answer, early) => {
            settled = true;
            patience.abort();
            if (task === undefined) sink.settle(answer, early);
            else if ('error' in answer) task.set({ status: 'failed', error: answer.error });
            else task.take(answer.result);
          },
        },
      );
    const become = (): Task => {
      const made = new Task(owner, this.#clock, (inputResponses, requestState) => {
        const state = requestState === undefined ? {} : { requestState };
        this.#cancels.set(made, run({ inputResponses, ...state }));
      });
      this.#tasks.set(made.id, made);
      return made;
    };
    const tell = (made: Task): void =>
      sink.settle(this.#result(request, { resultType: 'task', ...made.shown(false) }), false);
    if (patienceMs === 0) {
      task = become();
      this.#cancels.set(task, run());
      tell(task);
      return () => undefined;
    }
    const cancel = run();
    this.#clock.sleep(patienceMs, patience.signal).then(
      () => {
        if (settled) return;
        task = become();
        this.#cancels.set(task, cancel);
        tell(task);
      },
      // The call was quick.
      () => undefined,
    );
    return (reason: string): void => {
      patience.abort();
      if (task === undefined) cancel(reason);
    };
  }

  #answer(owner: string, request: JSONRPCRequest): JSONRPCResponse {
    if (!speaksTasks(request)) return errorAnswer(request.id, missingExtension);
    const { taskId, inputResponses } = request.params ?? {};
    const task = typeof taskId === 'string' ? this.#tasks.get(taskId) : undefined;
    if (task === undefined || task.owner !== owner || task.expired) {
      return errorAnswer(request.id, unknownTask);
    }
    if (request.method === 'tasks/get') return this.#result(request, { ...task.shown(true), resultType: 'complete' });
    if (request.method === 'tasks/update') {
      if (!isObject(inputResponses)) {
        const error = { code: CODE.invalidParams, message: "Invalid params: 'inputResponses' must be an object" };
        return errorAnswer(request.id, error);
      }
      task.update(inputResponses);
    } else if (!task.ended) {
      task.set({ status: 'cancelled' });
      this.#cancels.get(task)?.('The task was cancelled');
    }
    return this.#result(request, { resultType: 'complete' });
  }

  #result({ id }: JSONRPCRequest, result: Readonly<Record<string, unknown>>): JSONRPCResponse {
    return { jsonrpc: '2.0', id, result: { ...result, _meta: { [SERVER_INFO_META_KEY]: this.#serverInfo } } };
  }

  #hasRoom(): boolean {
    if (this.#tasks.size < MAX_TASKS) return true;
    for (const [id, task] of this.#tasks) {
      if (!task.ended) continue;
      this.#tasks.delete(id);
      if (this.#tasks.size < MAX_TASKS) return true;
    }
    return false;
  }
}
