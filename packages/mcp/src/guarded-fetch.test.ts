import { createServer, type RequestListener, type Server } from 'node:http';
import { codeOf } from '@cloutagent/contract';
import { afterEach, describe, expect, test } from 'vitest';
import { createGuardedFetch, type GuardedFetch, type GuardOptions, type Lookup } from './guarded-fetch.ts';

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const item of opened.splice(0)) item.close();
});

const guarded = (more: Partial<GuardOptions> = {}): GuardedFetch['fetch'] => {
  const made = createGuardedFetch({ allowNetworks: [], maxBytes: 1024, ...more });
  opened.push(made);
  return made.fetch;
};

/** A server on loopback that counts who reached it. */
const serve = async (listener: RequestListener): Promise<{ port: number; reached: () => number }> => {
  let reached = 0;
  const server: Server = createServer((request, response) => {
    reached += 1;
    listener(request, response);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  opened.push({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  const address = server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0, reached: () => reached };
};

const leadsTo =
  (...addresses: string[]): Lookup =>
  (_hostname, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );

const codeFrom = (promise: Promise<unknown>): Promise<string | undefined> =>
  promise.then(
    () => 'no error',
    (error: unknown) => codeOf(error),
  );

describe('[E5.addresses] [E13] addresses that are not of the public internet', () => {
  const HOSTS = [
    '127.0.0.1',
    '127.1',
    '0x7f.1',
    '2130706433',
    '0177.0.0.1',
    '①②⑦.0.0.1',
    '0.0.0.0',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[fe80::1]',
    '[fc00::1]',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '224.0.0.1',
    'localhost',
  ];

  test.each(HOSTS)('%s is not reached', async (host) => {
    const server = await serve((_request, response) => response.end('reached'));
    expect(await codeFrom(guarded()(`http://${host}:${server.port}/`))).toBe('MCP_ADDRESS_REFUSED');
    expect(server.reached()).toBe(0);
  });

  test('a name that leads to one is not reached, even where another of its addresses is public', async () => {
    const server = await serve((_request, response) => response.end('reached'));
    const url = `http://rebind.example:${server.port}/`;
    expect(await codeFrom(guarded({ lookup: leadsTo('127.0.0.1') })(url))).toBe('MCP_ADDRESS_REFUSED');
    expect(await codeFrom(guarded({ lookup: leadsTo('93.184.216.34', '127.0.0.1') })(url))).toBe('MCP_ADDRESS_REFUSED');
    expect(server.reached()).toBe(0);
  });

  test('a name is looked up for the connection itself, so a second answer cannot differ from the one that was checked', async () => {
    const server = await serve((_request, response) => response.end('reached'));
    let asked = 0;
    const lookup: Lookup = (hostname, options, callback) => {
      asked += 1;
      leadsTo(asked === 1 ? '10.9.9.9' : '127.0.0.1')(hostname, options, callback);
    };
    const fetch = guarded({ lookup, allowNetworks: ['10.0.0.0/8'] });
    const aborted = new AbortController();
    const pending = fetch(`http://rebind.example:${server.port}/`, { signal: aborted.signal });
    setTimeout(() => aborted.abort(), 100);
    await expect(pending).rejects.toThrow(/abort|connect/iu);
    expect(asked).toBe(1);
    expect(server.reached()).toBe(0);
  });

  test('other protocols are not called', async () => {
    expect(await codeFrom(guarded()('file:///etc/passwd'))).toBe('MCP_ADDRESS_REFUSED');
  });

  test('a redirect is not followed here; each hop is asked for again', async () => {
    const inner = await serve((_request, response) => response.end('secret'));
    const outer = await serve((_request, response) => {
      response.writeHead(302, { location: `http://10.0.0.1:${inner.port}/` }).end();
    });
    const fetch = guarded({ allowNetworks: ['127.0.0.0/8'] });
    const answer = await fetch(`http://127.0.0.1:${outer.port}/`);
    expect(answer.status).toBe(302);
    expect(await codeFrom(fetch(answer.headers.get('location') ?? ''))).toBe('MCP_ADDRESS_REFUSED');
    expect(inner.reached()).toBe(0);
  });
});

describe('an entry may allow networks', () => {
  test('loopback, and CIDR', async () => {
    const server = await serve((request, response) => {
      response.setHeader('x-method', request.method ?? '');
      request.pipe(response);
    });
    const url = `http://127.0.0.1:${server.port}/`;
    const echo = await guarded({ allowNetworks: ['loopback'] })(url, { method: 'POST', body: 'hello' });
    expect([echo.headers.get('x-method'), await echo.text()]).toEqual(['POST', 'hello']);
    expect((await guarded({ allowNetworks: ['127.0.0.1/32'] })(url)).status).toBe(200);
    expect(await codeFrom(guarded({ allowNetworks: ['10.0.0.0/8', 'nonsense'] })(url))).toBe('MCP_ADDRESS_REFUSED');
  });
});

describe('[E5.bounds] bodies are bounded', () => {
  test('a long answer ends with an error; events count one by one', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/long') response.end('x'.repeat(2000));
      else {
        response.setHeader('content-type', 'text/event-stream');
        for (let i = 0; i < 10; i += 1) response.write(`data: ${'y'.repeat(300)}\n\n`);
        response.end(request.url === '/events' ? '' : `data: ${'z'.repeat(2000)}`);
      }
    });
    const fetch = guarded({ allowNetworks: ['loopback'] });
    const url = `http://127.0.0.1:${server.port}`;
    await expect((await fetch(`${url}/long`)).text()).rejects.toThrow(/longer than/u);
    expect((await (await fetch(`${url}/events`)).text()).length).toBe(3080);
    await expect((await fetch(`${url}/endless`)).text()).rejects.toThrow(/longer than/u);
  });
});

test('a reader that cancels while bytes come disturbs nobody', async () => {
  const server = await serve((_request, response) => {
    response.writeHead(401);
    const more = setInterval(() => response.write('x'.repeat(100)), 1);
    response.on('close', () => clearInterval(more));
  });
  const fetch = guarded({ allowNetworks: ['loopback'], maxBytes: 1_000_000 });
  const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(`http://127.0.0.1:${server.port}/`)));
  for (const answer of answers) await answer.body?.cancel();
  const read = await fetch(`http://127.0.0.1:${server.port}/`);
  const reader = read.body?.getReader();
  await reader?.read();
  const pending = reader?.read();
  await reader?.cancel();
  await pending;
  await new Promise((resolve) => {
    setTimeout(resolve, 50);
  });
});
