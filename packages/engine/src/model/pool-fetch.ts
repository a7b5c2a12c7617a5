import { createRequire } from 'node:module';
import type * as Undici from 'undici';

/** Addresses of proxies, as HTTP_PROXY, HTTPS_PROXY and NO_PROXY name them. */
export interface ProxyAddresses {
  readonly http?: string | undefined;
  readonly https?: string | undefined;
  readonly no?: string | undefined;
}

/** Who wants to know what one call does on the network. */
export interface NetworkTap {
  /** The request is handed to the network: from here on it may be billed. */
  onSend(): void;
  /** Bytes came, headers included. Throws to end the call. */
  onBytes(count: number): void;
}

/** Under this name a tap travels through the SDK, which hands its `fetchOptions` on. */
const TAP = 'networkTap';

export const withTap = (tap: NetworkTap): object => ({ [TAP]: tap });

type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** Connections to one server; what is beyond waits. An agent holds one for as long as an answer streams. */
const MAX_CONNECTIONS = 256;
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * `fetch` over undici's own requests, for a third of the CPU of the global one: a stream that is read chunk by chunk holds
 * the socket up, and cancelling it closes the socket. What is silent is ended by whoever calls, never here.
 */
export const openPoolFetch = (proxy: ProxyAddresses | undefined): Fetch => {
  // By their places, where no proxy is named: the index loads five times as much, and the first call would wait for that.
  // These files have no types, but what the index gives by these names.
  const load = createRequire(import.meta.url);
  const request = load('undici/lib/api/api-request.js') as Undici.Dispatcher['request'];
  const options = {
    connections: MAX_CONNECTIONS,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: CONNECT_TIMEOUT_MS },
  };
  const proxied = proxy?.http !== undefined || proxy?.https !== undefined;
  // Named one by one: without them the agent would read the environment by itself.
  const dispatcher: Undici.Dispatcher = proxied
    ? new (load('undici') as typeof Undici).EnvHttpProxyAgent({
        ...options,
        httpProxy: proxy.http ?? proxy.https ?? '',
        httpsProxy: proxy.https ?? proxy.http ?? '',
        noProxy: proxy.no ?? '',
      })
    : new (load('undici/lib/dispatcher/agent.js') as typeof Undici.Agent)(options);
  return async (input, init = {}) => {
    const url = addressOf(input);
    const tap = (init as { readonly [TAP]?: NetworkTap })[TAP];
    const headers = headersOf(init.headers);
    tap?.onSend();
    const response = await request.call(dispatcher, {
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: init.method ?? 'GET',
      headers,
      body: typeof init.body === 'string' ? init.body : null,
      signal: init.signal ?? null,
    });
    tap?.onBytes(0);
    const { statusCode: status, body } = response;
    const received = pairsOf(response.headers);
    if (status === 204 || status === 304) {
      await body.dump();
      return new Response(null, { status, headers: received });
    }
    return new Response(toStream(body, tap), { status, headers: received });
  };
};

/** What `fetch` refuses too, in the same words; an address that cannot be read throws ERR_INVALID_URL. */
const addressOf = (input: string | URL | Request): URL => {
  const url = new URL(typeof input === 'string' ? input : input instanceof URL ? input.href : input.url);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new TypeError('unknown scheme');
  if (url.username !== '' || url.password !== '') throw new TypeError('a URL that includes credentials');
  return url;
};

const headersOf = (headers: RequestInit['headers']): Record<string, string> => {
  // The SDK hands over such an object; each copy of one checks every name and value again.
  const given = headers instanceof Headers ? headers : new Headers(headers);
  const plain: Record<string, string> = {};
  given.forEach((value, name) => {
    plain[name] = value;
  });
  return plain;
};

const pairsOf = (incoming: Readonly<Record<string, string | readonly string[] | undefined>>): [string, string][] => {
  const pairs: [string, string][] = [];
  for (const [name, value] of Object.entries(incoming)) {
    if (typeof value === 'string') pairs.push([name, value]);
    else for (const one of value ?? []) pairs.push([name, one]);
  }
  return pairs;
};

/** Reads on only when asked to, so that a slow reader is felt by the server. */
const toStream = (
  body: Undici.Dispatcher.ResponseData['body'],
  tap: NetworkTap | undefined,
): ReadableStream<Uint8Array> => {
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const next = await chunks.next();
        if (next.done === true) {
          controller.close();
          return;
        }
        tap?.onBytes(next.value.byteLength);
        controller.enqueue(next.value);
      },
      cancel: () => {
        body.destroy();
      },
    },
    { highWaterMark: 0 },
  );
};
