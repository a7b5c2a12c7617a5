import type { Caller } from '../run-tool.ts';
import { callerKey } from './caller-key.ts';
import { Channel, openInstance, type Instance } from './channel.ts';
import { EventLog } from './event-log.ts';
import type { ServerFactory } from './factory.ts';
import { MessageStream } from './message-stream.ts';

/** Open sessions; each has a server of its own, some tens of KiB. */
const MAX_SESSIONS = 1024;
/** A client that said nothing for so long, and reads no stream, has gone without a word. */
const IDLE_MS = 30 * 60 * 1000;

/** One client from its `initialize` to its end. */
export interface Session extends Instance {
  readonly id: string;
  readonly owner: string;
  readonly log: EventLog<MessageStream>;
  /** What the server says of its own accord. */
  readonly standalone: MessageStream;
}

/** The sessions by their ids. An id is a secret of 122 random bits, and still only good for the caller who got it. */
export class Sessions {
  readonly #factory: ServerFactory;
  readonly #now: () => number;
  readonly #resumable: boolean;
  readonly #sessions = new Map<string, { readonly session: Session; seen: number }>();

  /** @param resumable events get ids, and readers may come back for what they missed */
  constructor(factory: ServerFactory, now: () => number, resumable: boolean) {
    this.#factory = factory;
    this.#now = now;
    this.#resumable = resumable;
  }

  /** @returns undefined where no more can be kept */
  async open(caller: Caller): Promise<Session | undefined> {
    await this.#sweep(IDLE_MS);
    // Rather than refuse a newcomer, let go who has been silent longest, if anybody is.
    if (this.#sessions.size >= MAX_SESSIONS) await this.#sweep(0, 1);
    if (this.#sessions.size >= MAX_SESSIONS) return undefined;
    const id = crypto.randomUUID();
    const log = new EventLog<MessageStream>();
    const standalone = new MessageStream(this.#resumable ? log : undefined);
    const channel = new Channel('legacy', (message) => standalone.push(message), id);
    const instance = await openInstance(this.#factory({ era: 'legacy', caller, sessionId: id }), channel);
    const session = { ...instance, id, owner: callerKey(caller), log, standalone };
    this.#sessions.set(id, { session, seen: this.#now() });
    return session;
  }

  /** @returns undefined for an unknown id and for one of another caller, who cannot tell the two apart */
  find(id: string, caller: Caller): Session | undefined {
    const entry = this.#sessions.get(id);
    if (entry === undefined || entry.session.owner !== callerKey(caller)) return undefined;
    entry.seen = this.#now();
    return entry.session;
  }

  async end(session: Session): Promise<void> {
    this.#sessions.delete(session.id);
    session.standalone.end();
    await session.mcp.close();
  }

  async close(): Promise<void> {
    for (const { session } of this.#sessions.values()) await this.end(session);
  }

  async #sweep(idleMs: number, most = MAX_SESSIONS): Promise<void> {
    const limit = this.#now() - idleMs;
    const idle = [...this.#sessions.values()]
      .filter(({ session, seen }) => seen <= limit && !session.standalone.hasReader && session.channel.busy === 0)
      .sort((a, b) => a.seen - b.seen);
    for (const { session } of idle.slice(0, most)) await this.end(session);
  }
}
