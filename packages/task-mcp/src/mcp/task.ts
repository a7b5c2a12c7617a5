import { newId, toIso, type Clock } from '@cloutagent/kit';
import { isObject, type RpcError } from './wire.ts';

/** Name of the extension (SEP-2663), in capabilities of both sides. */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';

/** How long a task can be asked for after its last change. */
const TTL_MS = 60 * 60 * 1000;
/** How often a client should ask. */
const POLL_MS = 500;

type Members = Readonly<Record<string, unknown>>;

/** Where a task stands; the ended states are final. */
export type TaskState =
  | { readonly status: 'working' }
  | { readonly status: 'input_required'; readonly inputRequests: Members }
  | { readonly status: 'completed'; readonly result: unknown }
  | { readonly status: 'failed'; readonly error: RpcError }
  | { readonly status: 'cancelled' };

/** A tool call that goes on after its request was answered. */
export class Task {
  readonly id: string;
  /** Whose it is; nobody else can tell that it exists. */
  readonly owner: string;
  readonly #clock: Clock;
  readonly #createdAt: number;
  readonly #rerun: (answers: Members, requestState: unknown) => void;
  #updatedAt: number;
  #touched: number;
  #state: TaskState = { status: 'working' };
  #answers: Record<string, unknown> = {};
  #requestState: unknown;

  /** @param rerun makes the call again, with the answers to what it asked for */
  constructor(owner: string, clock: Clock, rerun: (answers: Members, requestState: unknown) => void) {
    this.id = newId('tsk', clock);
    this.owner = owner;
    this.#clock = clock;
    this.#rerun = rerun;
    this.#createdAt = clock.now();
    this.#updatedAt = this.#createdAt;
    this.#touched = clock.monotonic();
  }

  get ended(): boolean {
    return this.#state.status !== 'working' && this.#state.status !== 'input_required';
  }

  get expired(): boolean {
    return this.ended && this.#clock.monotonic() - this.#touched > TTL_MS;
  }

  /** What `tasks/get` shows; with `details` false what the answer to the call shows, which has no outcome yet. */
  shown(details: boolean): Members {
    const { status, ...outcome } = this.#state;
    return {
      taskId: this.id,
      status,
      createdAt: toIso(this.#createdAt),
      lastUpdatedAt: toIso(this.#updatedAt),
      ttlMs: TTL_MS,
      pollIntervalMs: POLL_MS,
      ...(details ? outcome : {}),
    };
  }

  /** Takes the result of a call: the end, or questions that the client answers by `update`. */
  take(result: unknown): void {
    if (!isObject(result) || result['resultType'] !== 'input_required') {
      this.set({ status: 'completed', result });
      return;
    }
    const asked = result['inputRequests'];
    this.#requestState = result['requestState'];
    this.#answers = {};
    this.set({ status: 'input_required', inputRequests: isObject(asked) ? asked : {} });
  }

  set(state: TaskState): void {
    if (this.ended) return;
    this.#state = state;
    this.#updatedAt = this.#clock.now();
    this.#touched = this.#clock.monotonic();
  }

  /** Answers some of the questions; with the last one the call goes on. Answers to what was not asked are ignored. */
  update(responses: Members): void {
    if (this.#state.status !== 'input_required') return;
    const asked = Object.entries(this.#state.inputRequests);
    const open = asked.filter(([key]) => !Object.hasOwn(responses, key));
    for (const [key] of asked) if (Object.hasOwn(responses, key)) this.#answers[key] = responses[key];
    if (open.length > 0) {
      this.set({ status: 'input_required', inputRequests: Object.fromEntries(open) });
      return;
    }
    this.set({ status: 'working' });
    this.#rerun(this.#answers, this.#requestState);
  }
}
