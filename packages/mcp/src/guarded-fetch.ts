import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { Transform, type Readable } from 'node:stream';
import { CloutError } from '@cloutagent/contract';
import ipaddr from 'ipaddr.js';

/** Resolves a name to all its addresses, as `dns.lookup` with `all`. */
export type Lookup = (
  hostname: string,
  options: { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface GuardOptions {
  /** Networks beside the public internet: `loopback` or CIDR. */
  readonly allowNetworks: readonly string[];
  /** Largest answer, or largest event of a stream, in bytes. */
  readonly maxBytes: number;
  readonly lookup?: Lookup;
}

export interface GuardedFetch {
  readonly fetch: (url: string | URL, init?: RequestInit) => Promise<Response>;
  close(): void;
}

/** A server that does not even take the connection in this time is down. */
const CONNECT_MS = 10_000;

/** Only addresses of the public internet, and what the entry allows. Throws MCP_ADDRESS_REFUSED. */
const requireReachable = (address: string, host: string, allowNetworks: readonly string[]): void => {
  const parsed = ipaddr.process(address);
  const range = parsed.range();
  if (range === 'unicast') return;
  const allowed = allowNetworks.some((network) => {
    if (network === 'loopback') return range === 'loopback';
    if (!ipaddr.isValidCIDR(network)) return false;
    const [base, bits] = ipaddr.parseCIDR(network);
    return base.kind() === parsed.kind() && parsed.match(base, bits);
  });
  if (allowed) return;
  throw new CloutError('MCP_ADDRESS_REFUSED', `${host} leads to ${address}, which is ${range} and no public address`, {
    details: { host, address, range },
  });
};

/**
 * `fetch` over `node:http` that reaches only allowed addresses: literals are checked before the request, names when they
 * are looked up for the connection itself, so that what was checked is what is connected to. It follows no redirect;
 * whoever does so comes here again for each hop. Bodies are bounded.
 */
export const createGuardedFetch = (options: GuardOptions): GuardedFetch => {
  const agents = { 'http:': new HttpAgent({ keepAlive: true }), 'https:': new HttpsAgent({ keepAlive: true }) };
  const resolve = options.lookup ?? systemLookup;
  const lookup = (
    hostname: string,
    { all }: { all?: boolean | undefined },
    callback: (error: Error | null, address: string | LookupAddress[], family?: number) => void,
  ): void => {
    resolve(hostname, { all: true }, (error, addresses) => {
      try {
        if (error !== null) throw error;
        for (const { address } of addresses) requireReachable(address, hostname, options.allowNetworks);
        const [first] = addresses;
        if (first === undefined) throw new Error(`${hostname} has no address`);
        if (all === true) callback(null, addresses);
        else callback(null, first.address, first.family);
      } catch (problem) {
        callback(problem instanceof Error ? problem : new Error(String(problem)), []);
      }
    });
  };

  const fetch = (input: string | URL, init: RequestInit = {}): Promise<Response> =>
    new Promise((resolvePromise, reject) => {
      const url = new URL(input);
      if (url.protocol !== 'http:' && url.protocol !== 'https:')
        throw new CloutError('MCP_ADDRESS_REFUSED', `${url.protocol} is not called, only http: and https:`);
      const host = url.hostname.replaceAll(/^\[|\]$/gu, '');
      if (ipaddr.isValid(host)) requireReachable(host, host, options.allowNetworks);
      const headers = new Headers(init.headers);
      const body = bodyOf(init.body, headers);
      const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
        method: init.method ?? 'GET',
        headers: Object.fromEntries(headers),
        agent: agents[url.protocol],
        lookup,
        ...(init.signal ? { signal: init.signal } : {}),
      });
      limitConnect(request);
      request.once('response', (message) => resolvePromise(toResponse(message, options.maxBytes)));
      request.on('error', reject);
      request.end(body);
    });
  return {
    fetch: async (url, init) => fetch(url, init),
    close: () => {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
};

const bodyOf = (body: RequestInit['body'], headers: Headers): string | undefined => {
  if (body === undefined || body === null) return undefined;
  if (body instanceof URLSearchParams) {
    if (!headers.has('content-type')) headers.set('content-type', 'application/x-www-form-urlencoded;charset=UTF-8');
    return body.toString();
  }
  if (typeof body === 'string') return body;
  throw new TypeError('A body is text or URLSearchParams');
};

const limitConnect = (request: ClientRequest): void => {
  const timer = setTimeout(() => request.destroy(new Error('the server does not take connections')), CONNECT_MS);
  const clear = (): void => clearTimeout(timer);
  request.once('socket', (socket) => {
    if (socket.connecting) socket.once('connect', clear);
    else clear();
  });
  request.once('close', clear);
};

const EMPTY = new Set([204, 205, 304]);

const toResponse = (message: IncomingMessage, maxBytes: number): Response => {
  const headers = new Headers();
  for (let i = 0; i + 1 < message.rawHeaders.length; i += 2)
    headers.append(message.rawHeaders[i] ?? '', message.rawHeaders[i + 1] ?? '');
  const status = message.statusCode ?? 500;
  if (EMPTY.has(status)) {
    message.resume();
    return new Response(null, { status, headers });
  }
  const bounded = message.pipe(createBound(maxBytes, headers.get('content-type')?.includes('event-stream') === true));
  message.on('error', (error) => bounded.destroy(error));
  message.on('aborted', () => bounded.destroy(new Error('the server cut the answer off')));
  bounded.on('error', () => message.destroy());
  return new Response(toBody(bounded), { status, headers });
};

/** Node's own `Readable.toWeb` throws out of an event handler when bytes come after a reader has cancelled. */
const toBody = (source: Readable): ReadableStream<Uint8Array> => {
  const chunks: AsyncIterator<Buffer, unknown> = source[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const next: IteratorResult<Buffer, unknown> = await chunks.next();
        if (next.done === true) controller.close();
        else controller.enqueue(new Uint8Array(next.value));
      },
      cancel: () => {
        source.destroy();
      },
    },
    { highWaterMark: 0 },
  );
};

/** Ends a body that is too long; of a stream of events each event counts for itself. */
const createBound = (maxBytes: number, events: boolean): Transform => {
  let size = 0;
  let lastByte = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (events) {
        const end = Math.max(
          chunk.lastIndexOf('\n\n'),
          chunk.lastIndexOf('\r\n\r\n'),
          chunk.lastIndexOf('\r\r'),
          lastByte === 0x0a && chunk[0] === 0x0a ? 0 : -1,
        );
        if (end >= 0) size = chunk.length - end;
      }
      lastByte = chunk.at(-1) ?? lastByte;
      if (size > maxBytes) done(new RangeError(`it sent a message longer than ${maxBytes / 1024 / 1024} MiB`));
      else done(null, chunk);
    },
  });
};
