import type { JSONRPCMessage } from './sdk.ts';
import type { Caller } from '../run-tool.ts';
import { callerKey } from './caller-key.ts';
import { Channel, openInstance, type Instance } from './channel.ts';
import type { ServerFactory } from './factory.ts';
import type { Era } from './wire.ts';

/** Callers whose instances are kept; a server has some tokens, and an instance is some tens of KiB. */
const MAX_CALLERS = 256;

/** The long-lived server instances of one era, one for each caller, made when it first asks. */
export class Instances {
  readonly #era: Era;
  readonly #factory: ServerFactory;
  readonly #onLoose: (key: string, message: JSONRPCMessage) => void;
  readonly #instances = new Map<string, Promise<Instance>>();

  /** @param onLoose gets what an instance says to no request in particular, with the key of its caller */
  constructor(era: Era, factory: ServerFactory, onLoose: (key: string, message: JSONRPCMessage) => void) {
    this.#era = era;
    this.#factory = factory;
    this.#onLoose = onLoose;
  }

  async of(caller: Caller): Promise<Instance> {
    const key = callerKey(caller);
    const known = this.#instances.get(key);
    if (known !== undefined) return known;
    if (this.#instances.size >= MAX_CALLERS) await this.#dropOldest();
    const channel = new Channel(this.#era, (message) => this.#onLoose(key, message));
    const made = openInstance(this.#factory({ era: this.#era, caller }), channel);
    this.#instances.set(key, made);
    made.catch(() => this.#instances.delete(key));
    return made;
  }

  async close(): Promise<void> {
    const all = [...this.#instances.values()];
    this.#instances.clear();
    for (const instance of all) await (await instance).mcp.close();
  }

  async #dropOldest(): Promise<void> {
    for (const [key, opening] of this.#instances) {
      const { channel, mcp } = await opening;
      if (channel.busy > 0) continue;
      this.#instances.delete(key);
      await mcp.close();
      return;
    }
  }
}
