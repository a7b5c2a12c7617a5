import { describe, expect, it } from 'vitest';
import { ask, BLOCK, DELTA, END, fail, failure, type Handler, KEY, serve, sse, START } from './messages-server.fake.ts';
import type { ModelEvent } from './port.ts';

describe('[E3.errors] a failed attempt says whether it was billed and whether another can help', () => {
  it.each([
    [400, 'MODEL_REQUEST_REFUSED', 'none', false],
    [401, 'MODEL_KEY_MISSING', 'none', false],
    [402, 'MODEL_ACCOUNT_LIMIT', 'none', false],
    [403, 'MODEL_REQUEST_REFUSED', 'none', false],
    [404, 'MODEL_REQUEST_REFUSED', 'none', false],
    [408, 'MODEL_UNAVAILABLE', 'none', true],
    [409, 'MODEL_UNAVAILABLE', 'none', true],
    [413, 'MODEL_REQUEST_REFUSED', 'none', false],
    [422, 'MODEL_REQUEST_REFUSED', 'none', false],
    [429, 'MODEL_RATE_LIMITED', 'none', true],
    [500, 'MODEL_UNAVAILABLE', 'unknown', true],
    [502, 'MODEL_UNAVAILABLE', 'unknown', true],
    [503, 'MODEL_UNAVAILABLE', 'none', true],
    [504, 'MODEL_UNAVAILABLE', 'unknown', true],
    [529, 'MODEL_UNAVAILABLE', 'none', true],
  ] as const)(
    '%i is %s, billing %s, retryable %s; sent once, the key shown to nobody',
    async (status, code, billing, retryable) => {
      using server = await serve(fail(status));
      const error = await failure(ask(server.url));
      expect({ code: error.code, billing: error.billing, retryable: error.retryable }).toEqual({
        code,
        billing,
        retryable,
      });
      expect(error.message).toContain('Because of [key]');
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(KEY);
      expect(server.seen.count).toBe(1);
    },
  );

  it.each([
    ['retry-after', '2', 2000],
    ['retry-after', '0.2', 200],
    ['retry-after', 'soon', undefined],
    ['retry-after', '0', undefined],
    ['retry-after-ms', '350', 350],
  ])('passes %s: %s on', async (name, value, expected) => {
    using server = await serve(fail(429, { [name]: value }));
    expect((await failure(ask(server.url))).retryAfterMs).toBe(expected);
  });

  it("does what the server says about repeating, and does not repeat against the account's own limit", async () => {
    using never = await serve(fail(500, { 'x-should-retry': 'false' }));
    expect((await failure(ask(never.url))).retryable).toBe(false);
    using please = await serve(fail(400, { 'x-should-retry': 'true' }));
    expect((await failure(ask(please.url))).retryable).toBe(true);
    using spent = await serve(
      fail(429, {}, 'rate_limit_error', { details: { error_code: 'enforced_spend_limit_reached' } }),
    );
    expect(await failure(ask(spent.url))).toMatchObject({
      code: 'MODEL_ACCOUNT_LIMIT',
      retryable: false,
      billing: 'none',
    });
  });

  it('was not billed where nobody listens', async () => {
    using server = await serve(() => undefined);
    server[Symbol.dispose]();
    expect(await failure(ask(server.url))).toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      billing: 'none',
      retryable: true,
    });
    expect(await failure(ask('not an address'))).toMatchObject({ billing: 'none', retryable: false });
  });

  it.each([
    ['localhost:18840', 'unknown scheme'],
    ['ftp://127.0.0.1/', 'unknown scheme'],
    ['http://ann:secret@127.0.0.1:18840', 'credentials'],
  ])('[X1.released] was not billed where fetch refuses the address %s', async (url, reason) => {
    const error = await failure(ask(url));
    expect(error).toMatchObject({ billing: 'none', retryable: false });
    expect(error.message).toContain(reason);
  });

  it.each([
    ['sk-ant-\u20ac-not-ascii', 'ByteString'],
    ['sk-ant-two\nlines-of-key', 'invalid header value'],
  ])('[X1.released] was not billed where the key %j cannot stand in a header', async (apiKey, reason) => {
    using server = await serve(() => undefined);
    const error = await failure(ask(server.url, { apiKey }));
    expect(error).toMatchObject({ billing: 'none', retryable: false });
    expect(error.message).toContain(reason);
    expect(error.message).not.toContain(apiKey);
    expect(server.seen.count).toBe(0);
  });

  it('keeps ordinary words where the key is one of them', async () => {
    using server = await serve(fail(400));
    expect((await failure(ask(server.url, { apiKey: 'Because' }))).message).toContain('Because of');
  });

  const broken: readonly (readonly [string, Handler])[] = [
    ['the connection drops before the headers', (incoming) => incoming.socket.destroy()],
    [
      'the connection drops in the answer',
      (_request, response) => {
        sse(response, START, BLOCK, DELTA);
        setTimeout(() => response.destroy(), 20);
      },
    ],
    [
      'the stream ends in good order but too early',
      (_request, response) => {
        sse(response, START, BLOCK, DELTA);
        response.end();
      },
    ],
    [
      'message_stop is missing',
      (_request, response) => {
        sse(response, START, BLOCK, DELTA, ...END.slice(0, 2));
        response.end();
      },
    ],
    [
      'an event is no JSON',
      (_request, response) => {
        sse(response, START);
        response.end('event: content_block_start\ndata: {"type\n\n');
      },
    ],
    [
      'a 200 holds no events at all',
      (_request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"a"'),
    ],
    [
      'the usage is missing',
      (_request, response) => {
        sse(
          response,
          { ...START, message: { content: [] } },
          BLOCK,
          DELTA,
          END[0] ?? START,
          { type: 'message_delta', delta: { stop_reason: 'end_turn' } },
          { type: 'message_stop' },
        );
        response.end();
      },
    ],
    [
      'an overloaded error stands in the stream',
      (_request, response) => {
        sse(response, START, { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } });
        response.end();
      },
    ],
  ];
  it.each(broken)('may have been billed when %s', async (_what, handler) => {
    using server = await serve(handler);
    expect(await failure(ask(server.url))).toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      billing: 'unknown',
      retryable: true,
    });
    expect(server.seen.count).toBe(1);
  });

  it('is not repeated for an error in the stream that lasts', async () => {
    using server = await serve((_request, response) => {
      sse(response, START, { type: 'error', error: { type: 'invalid_request_error', message: 'No' } });
      response.end();
    });
    expect(await failure(ask(server.url))).toMatchObject({
      code: 'MODEL_REQUEST_REFUSED',
      billing: 'unknown',
      retryable: false,
    });
  });

  it.each([
    ['before the headers', []],
    ['in the middle', [START, BLOCK, DELTA]],
  ])('may have been billed when the server falls silent %s', async (_when, events) => {
    using server = await serve((_request, response) => {
      if (events.length > 0) sse(response, ...events);
    });
    const error = await failure(ask(server.url, { idleMs: 80 }));
    expect(error).toMatchObject({ code: 'MODEL_UNAVAILABLE', billing: 'unknown', retryable: true });
    expect(error.message).toContain('silent');
  });

  it('may have been billed when it is aborted, and the connection is closed', async () => {
    let markClosed = (): void => undefined;
    const closed = new Promise<void>((resolve) => (markClosed = resolve));
    using server = await serve((_request, response) => {
      sse(response, START, BLOCK, DELTA);
      response.on('close', () => markClosed());
    });
    const controller = new AbortController();
    const stop = async (event: ModelEvent): Promise<void> => {
      if (event.type === 'text') controller.abort('cancelled');
    };
    expect(await failure(ask(server.url, { signal: controller.signal, onEvent: stop }))).toMatchObject({
      billing: 'unknown',
    });
    await closed;
  });

  it('was not billed when it is aborted before it was sent', async () => {
    using server = await serve(() => undefined);
    expect(await failure(ask(server.url, { signal: AbortSignal.abort('cancelled') }))).toMatchObject({
      billing: 'none',
    });
    expect(server.seen.count).toBe(0);
  });
});
