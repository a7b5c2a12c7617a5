import { type Conversation } from './conversation.ts';
import { jsonBytes } from '../model/size.ts';

/** A conversation that is kept between executions. */
export interface KeptConversation {
  readonly agentId: string;
  readonly conversation: Conversation;
}

export interface Conversations {
  /** Waits until nobody else speaks in it; the function gives the word back. */
  enter(id: string): Promise<() => void>;
  get(id: string): KeptConversation | undefined;
  put(id: string, kept: KeptConversation): void;
  /** Drops those of an agent. */
  forget(agentId: string): void;
}

/** 64 MB of histories; the one that was used longest ago goes first. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_CONVERSATIONS = 10_000;

export const openConversations = (maxBytes = MAX_BYTES): Conversations => {
  const kept = new Map<string, KeptConversation & { readonly bytes: number }>();
  const lines = new Map<string, Promise<void>>();
  let bytes = 0;

  const drop = (id: string): void => {
    bytes -= kept.get(id)?.bytes ?? 0;
    kept.delete(id);
  };

  return {
    enter: async (id) => {
      const before = lines.get(id);
      let leave = (): void => undefined;
      const mine = new Promise<void>((resolve) => {
        leave = resolve;
      });
      const line = (before ?? Promise.resolve()).then(() => mine);
      lines.set(id, line);
      await before;
      return () => {
        leave();
        if (lines.get(id) === line) lines.delete(id);
      };
    },
    get: (id) => kept.get(id),
    put: (id, next) => {
      // Only what is new is measured again.
      const before = kept.get(id);
      const known = before?.conversation.messages.length ?? 0;
      const size = (before?.bytes ?? 0) + jsonBytes(next.conversation.messages.slice(known));
      drop(id);
      kept.set(id, { ...next, bytes: size });
      bytes += size;
      for (const oldest of kept.keys()) {
        if (bytes <= maxBytes && kept.size <= MAX_CONVERSATIONS) break;
        drop(oldest);
      }
    },
    forget: (agentId) => {
      for (const [id, { agentId: owner }] of kept) if (owner === agentId) drop(id);
    },
  };
};
