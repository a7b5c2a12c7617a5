import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  NO_USAGE,
  codeOf,
  toMoney,
  type CloutError,
  type Run,
  type RunEvent,
  type RunEventBody,
  type RunStatus,
} from '@cloutagent/contract';
import { encodeSse, encodeSseComment, systemClock, type Clock } from '@cloutagent/kit';
import { afterEach, describe, expect, expectTypeOf, test } from 'vitest';
import { createClient } from './client.ts';

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const serve = async (answer: Answer): Promise<string> => {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => answer(request, response, body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};
const caught = (promise: Promise<unknown>): Promise<CloutError> =>
  promise.then(
    () => expect.fail('should have failed'),
    (error: unknown) => error as CloutError,
  );

const aRun = (status: RunStatus): Run => ({
  id: 'run_1',
  kind: 'change',
  slug: 's',
  title: 'S',
  status,
  reason: null,
  model: 'm',
  simulated: true,
  createdAt: '',
  updatedAt: '',
  finishedAt: null,
  money: { limit: null, spent: toMoney(0), held: toMoney(0) },
  usage: NO_USAGE,
  counts: { modelCalls: 0, toolCalls: 0, unknownOutcomes: 0 },
  tasks: [],
  documentHash: '',
  forkedFrom: null,
});

describe('call', () => {
  test('sends parameters, query, body and token, and gives the parsed output', async () => {
    let seen: unknown;
    const baseUrl = await serve((request, response, body) => {
      seen = { url: request.url, method: request.method, authorization: request.headers.authorization, body };
      json(response, 200, { slug: 'a b', valid: true, issues: [], unknownField: 1 });
    });
    const client = createClient({ baseUrl: `${baseUrl}/`, token: 'secret' });
    const output = await client.call('changeValidate', { params: { slug: 'a b' }, query: { strict: 'true' } });
    expect(output).toEqual({ slug: 'a b', valid: true, issues: [] });
    expectTypeOf(output.valid).toEqualTypeOf<boolean>();
    expect(seen).toEqual({
      url: '/api/changes/a%20b/validation?strict=true',
      method: 'GET',
      authorization: 'Bearer secret',
      body: '',
    });
  });

  test('a body is JSON, a route without input needs none', async () => {
    const bodies: string[] = [];
    const baseUrl = await serve((request, response, body) => {
      bodies.push(`${request.headers['content-type'] ?? ''} ${body}`);
      json(response, 200, request.url === '/api/runs' ? aRun('running') : { ok: true });
    });
    const client = createClient({ baseUrl });
    await client.call('runStart', { body: { slug: 'a', simulate: true } });
    expect(await client.call('logout')).toEqual({ ok: true });
    expect(bodies).toEqual(['application/json {"slug":"a","simulate":true}', ' ']);
  });

  test("errors carry the server's code, message, hint and details", async () => {
    const error = { code: 'CHANGE_LOCKED', message: 'held by ann', hint: 'wait', details: { owner: 'ann' } };
    const baseUrl = await serve((_, response) =>
      json(response, 409, { apiVersion: '1', error, requestId: 'req_1', timestamp: '' }),
    );
    const thrown = await caught(createClient({ baseUrl }).call('meta'));
    expect({ code: codeOf(thrown), message: thrown.message, hint: thrown.hint, details: thrown.details }).toEqual(
      error,
    );
  });

  test('an unknown code is UNKNOWN_ERROR and kept, an internal error names its request', async () => {
    const codes = ['NEW_CODE', 'INTERNAL_ERROR'];
    const baseUrl = await serve((_, response) =>
      json(response, 500, { error: { code: codes.shift(), message: 'm' }, requestId: 'req_7' }),
    );
    const client = createClient({ baseUrl });
    const unknown = await caught(client.call('meta'));
    expect([codeOf(unknown), unknown.details?.['code']]).toEqual(['UNKNOWN_ERROR', 'NEW_CODE']);
    expect((await caught(client.call('meta'))).details).toEqual({ requestId: 'req_7' });
  });

  test('no server, no JSON, another shape, an impossible parameter', async () => {
    const baseUrl = await serve((request, response) => {
      if (request.url === '/api/meta') response.end('<html>');
      else json(response, 200, { other: true });
    });
    const client = createClient({ baseUrl });
    expect(codeOf(await caught(client.call('meta')))).toBe('UNKNOWN_ERROR');
    expect(codeOf(await caught(client.call('runsList')))).toBe('UNKNOWN_ERROR');
    expect(codeOf(await caught(client.call('changeShow', { params: { slug: '..' } })))).toBe('INVALID_INPUT');
    expect(codeOf(await caught(createClient({ baseUrl: 'http://127.0.0.1:1' }).call('meta')))).toBe(
      'SERVER_UNREACHABLE',
    );
  });

  test('an aborted call throws the reason of its signal', async () => {
    const baseUrl = await serve(() => {});
    const controller = new AbortController();
    const pending = caught(createClient({ baseUrl }).call('meta', {}, { signal: controller.signal }));
    controller.abort(new Error('enough'));
    expect((await pending).message).toBe('enough');
  });

  test('fetch is looked up at each call', async () => {
    const original = globalThis.fetch;
    const client = createClient({ baseUrl: 'http://nowhere.invalid' });
    try {
      globalThis.fetch = () => Promise.resolve(Response.json({ ok: true }));
      expect(await client.call('logout')).toEqual({ ok: true });
    } finally {
      globalThis.fetch = original;
    }
  });
});

const collect = async <T>(values: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
};

describe('events', () => {
  const impatient: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms > 30_000 ? ms : 0, signal) };
  const body = (seq: number, total: number): RunEventBody =>
    seq === total
      ? { type: 'run.state', status: 'completed', reason: null }
      : { type: 'task.started', taskId: String(seq), title: '' };
  const frame = (seq: number, total: number): string => {
    const event: RunEvent = { seq, runId: 'run_1', at: 0, body: body(seq, total) };
    return encodeSse({ event: 'run', id: String(seq), data: JSON.stringify(event) });
  };

  test('arrive once each and in order over connections that break, repeat and skip', async () => {
    const total = 12;
    const asked: string[] = [];
    const seen: number[] = [];
    const baseUrl = await serve((request, response) => {
      if (request.url === '/api/runs/run_1')
        return json(response, 200, {
          run: aRun(asked.length > 5 ? 'completed' : 'running'),
          steps: [],
          ledger: [],
          waits: [],
          lastSeq: total,
        });
      const after = Number(request.headers['last-event-id']);
      asked.push(String(request.headers['last-event-id']));
      if (asked.length === 2) return void response.writeHead(503).end();
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(encodeSseComment('hello'));
      if (asked.length === 3) return response.destroy();
      if (asked.length === 4) return void response.end(frame(after + 2, total)); // one is missing
      // The last event again, then three more; then the connection ends, now orderly and now not.
      let text = after > 0 ? frame(after, total) : '';
      for (let seq = after + 1; seq <= Math.min(after + 3, total); seq += 1) text += frame(seq, total);
      response.write(text + encodeSse({ event: 'heartbeat', data: '{"ts":1}' }), () => {
        if (asked.length % 2 === 0) return void response.end();
        // What is still in a pipe when the connection is reset is lost, so the reader has read it before.
        const timer = setInterval(() => {
          if ((seen.at(-1) ?? 0) < Math.min(after + 3, total)) return;
          clearInterval(timer);
          response.destroy();
        }, 5);
      });
    });
    for await (const { event, data } of createClient({ baseUrl, clock: impatient, random: () => 0 }).events('run_1', {
      untilSettled: true,
    })) {
      if (event === 'run') seen.push(data.seq);
    }
    expect(seen).toEqual(Array.from({ length: total }, (_, i) => i + 1));
    expect(asked.slice(0, 4)).toEqual(['0', '3', '3', '3']);
  });

  test('a run that stands still already ends the iteration after its history', async () => {
    const history = frame(1, 9) + frame(2, 9);
    const baseUrl = await serve((request, response) => {
      if (request.url === '/api/runs/run_1')
        return json(response, 200, { run: aRun('interrupted'), steps: [], ledger: [], waits: [], lastSeq: 2 });
      response
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .write(Number(request.headers['last-event-id']) === 0 ? history : ': nothing new\n\n');
    });
    const client = createClient({ baseUrl });
    const seen = await collect(client.events('run_1', { untilSettled: true }));
    expect(seen).toHaveLength(2);
    expect(await collect(client.events('run_1', { untilSettled: true, after: 2 }))).toEqual([]);
  });

  test.each([
    [null, 2],
    ['approval:apr_1', 1],
  ])(
    'a run that waits for a time is followed on, one that waits for a person is not (topic %s)',
    async (topic, count) => {
      let shown = 0;
      const state = (seq: number, status: 'waiting' | 'completed'): string => {
        const event: RunEvent = { seq, runId: 'run_1', at: 0, body: { type: 'run.state', status, reason: null } };
        return encodeSse({ event: 'run', id: String(seq), data: JSON.stringify(event) });
      };
      const baseUrl = await serve((request, response) => {
        if (request.url === '/api/runs/run_1') {
          const waits = [{ key: 'k', topic, until: 1 }];
          const [run, lastSeq] = (shown += 1) < 3 ? [aRun('waiting'), 1] : [aRun('completed'), 2];
          return json(response, 200, { run, steps: [], ledger: [], waits, lastSeq });
        }
        response
          .writeHead(200, { 'content-type': 'text/event-stream' })
          .write(state(1, 'waiting') + state(2, 'completed'));
      });
      expect(await collect(createClient({ baseUrl }).events('run_1', { untilSettled: true }))).toHaveLength(count);
    },
  );

  test('a run that breaks off without an event ends the iteration at the next heartbeat', async () => {
    let shown = 0;
    const baseUrl = await serve((request, response) => {
      if (request.url === '/api/runs/run_1')
        return json(response, 200, {
          run: aRun(shown++ === 0 ? 'running' : 'interrupted'),
          steps: [],
          ledger: [],
          waits: [],
          lastSeq: 1,
        });
      response
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .write(frame(1, 9) + encodeSse({ event: 'heartbeat', data: '{"ts":1}' }));
    });
    expect(await collect(createClient({ baseUrl }).events('run_1', { untilSettled: true }))).toHaveLength(1);
  });

  test('an error that no retry helps is thrown at once, a server that stays away in the end', async () => {
    let requests = 0;
    const baseUrl = await serve((_, response) => {
      requests += 1;
      json(response, 404, { error: { code: 'RUN_NOT_FOUND', message: 'no' } });
    });
    const drain = async (url: string): Promise<void> => {
      expect(await collect(createClient({ baseUrl: url, clock: impatient }).events('run_1'))).toEqual([]);
    };
    expect(codeOf(await caught(drain(baseUrl)))).toBe('RUN_NOT_FOUND');
    expect(requests).toBe(1);
    expect(codeOf(await caught(drain('http://127.0.0.1:1')))).toBe('SERVER_UNREACHABLE');
  });

  test('the signal ends the iteration without an error', async () => {
    const baseUrl = await serve(
      (_, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(frame(1, 9)),
    );
    const controller = new AbortController();
    const seen: unknown[] = [];
    for await (const event of createClient({ baseUrl }).events('run_1', { signal: controller.signal })) {
      seen.push(event);
      controller.abort();
    }
    expect(seen).toHaveLength(1);
  });
});
