import type { Reply } from '@cloutagent/http';
import {
  SERVER_INFO_META_KEY,
  SUBSCRIPTION_ID_META_KEY,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type ServerCapabilities,
} from './sdk.ts';
import { MessageStream } from './message-stream.ts';
import { STREAM_HEADERS } from './post-answer.ts';
import { CODE, errorAnswer, isObject } from './wire.ts';

/** Streams that wait for changes, of all callers; each holds a socket. */
const MAX_LISTENERS = 1024;

/** What a listener asked for and this server can tell. */
interface Filter {
  readonly toolsListChanged?: true;
  readonly promptsListChanged?: true;
  readonly resourcesListChanged?: true;
  readonly resourceSubscriptions?: readonly string[];
}

interface Listener {
  readonly key: string;
  readonly filter: Filter;
  readonly tell: (message: { readonly method: string; readonly params?: object | undefined }) => void;
}

const filterOf = (asked: Readonly<Record<string, unknown>>, can: ServerCapabilities): Filter => {
  const uris: unknown = asked['resourceSubscriptions'];
  const texts = Array.isArray(uris) ? uris.filter((uri: unknown) => typeof uri === 'string') : [];
  return {
    ...(asked['toolsListChanged'] === true && can.tools?.listChanged === true ? { toolsListChanged: true } : {}),
    ...(asked['promptsListChanged'] === true && can.prompts?.listChanged === true ? { promptsListChanged: true } : {}),
    ...(asked['resourcesListChanged'] === true && can.resources?.listChanged === true
      ? { resourcesListChanged: true }
      : {}),
    ...(texts.length > 0 && can.resources?.subscribe === true ? { resourceSubscriptions: texts } : {}),
  };
};

const passes = (filter: Filter, method: string, uri: unknown): boolean => {
  if (method === 'notifications/tools/list_changed') return filter.toolsListChanged === true;
  if (method === 'notifications/prompts/list_changed') return filter.promptsListChanged === true;
  if (method === 'notifications/resources/list_changed') return filter.resourcesListChanged === true;
  return (
    method === 'notifications/resources/updated' &&
    typeof uri === 'string' &&
    filter.resourceSubscriptions?.includes(uri) === true
  );
};

/** The streams of `subscriptions/listen` (2026-07-28): each hears the changes that it asked for, of its caller's server. */
export class Listeners {
  readonly #listeners = new Set<Listener>();

  /** Passes a change notification on; everything else that belongs to no request has no place in the stateless era. */
  publish(key: string, message: JSONRPCMessage): void {
    if (!('method' in message)) return;
    for (const listener of this.#listeners) {
      if (listener.key === key && passes(listener.filter, message.method, message.params?.['uri'])) {
        listener.tell(message);
      }
    }
  }

  serve(
    key: string,
    { id, params }: JSONRPCRequest,
    server: { readonly capabilities: ServerCapabilities; readonly info: object },
  ): Reply {
    const asked = params?.['notifications'];
    if (!isObject(asked)) {
      const error = {
        code: CODE.invalidParams,
        message: "Invalid params: 'notifications' must be an object",
      };
      return { kind: 'json', body: errorAnswer(id, error) };
    }
    if (this.#listeners.size >= MAX_LISTENERS) {
      return {
        kind: 'json',
        body: errorAnswer(id, { code: CODE.internal, message: 'Too many subscriptions' }),
      };
    }
    const filter = filterOf(asked, server.capabilities);
    const stream = new MessageStream();
    const stamp = { [SUBSCRIPTION_ID_META_KEY]: id };
    const tell: Listener['tell'] = ({ method, params: more }) => {
      const meta = more !== undefined && '_meta' in more && isObject(more._meta) ? more._meta : {};
      stream.push({ jsonrpc: '2.0', method, params: { ...more, _meta: { ...meta, ...stamp } } });
    };
    const listener = { key, filter, tell };
    tell({ method: 'notifications/subscriptions/acknowledged', params: { notifications: filter } });
    if (Object.keys(filter).length === 0) {
      const meta = { ...stamp, [SERVER_INFO_META_KEY]: server.info };
      stream.push({ jsonrpc: '2.0', id, result: { resultType: 'complete', _meta: meta } });
      stream.end();
    } else this.#listeners.add(listener);
    return {
      kind: 'stream',
      contentType: 'text/event-stream',
      headers: STREAM_HEADERS,
      heartbeat: 'comment',
      run: async (writer) => {
        try {
          await stream.run(writer);
        } finally {
          this.#listeners.delete(listener);
        }
      },
    };
  }
}
