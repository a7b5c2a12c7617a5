import { request as httpRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import { raw, start } from './harness.ts';
import { parseJson } from './body.ts';
import type { Route } from './types.ts';

const echo: Route = {
  method: 'POST',
  path: '/echo',
  scope: 'run',
  handler: async (context) => ({ kind: 'json', body: { got: (await context.readJson()) ?? null } }),
};

const post = async (
  url: string,
  body: string | Uint8Array<ArrayBuffer> | undefined,
  headers: Record<string, string>,
) => {
  const response = await fetch(`${url}/echo`, { method: 'POST', headers, ...(body === undefined ? {} : { body }) });
  const json = (await response.json()) as { got?: unknown; error?: { code: string } };
  return { status: response.status, code: json.error?.code, got: json.got };
};

describe('media types', () => {
  const cases: readonly (readonly [string, Record<string, string>, number])[] = [
    ['JSON', { 'content-type': 'application/json' }, 200],
    ['JSON with a charset', { 'content-type': 'Application/JSON; charset="UTF-8"' }, 200],
    ['a +json type', { 'content-type': 'application/vnd.x+json' }, 200],
    ['what curl -d sends', { 'content-type': 'application/x-www-form-urlencoded' }, 200],
    ['a form with an Origin', { 'content-type': 'application/x-www-form-urlencoded', origin: 'URL' }, 415],
    ['a form with a cookie', { 'content-type': 'application/x-www-form-urlencoded', cookie: 'a=b' }, 415],
    ['text', { 'content-type': 'text/plain' }, 415],
    ['a multipart form', { 'content-type': 'multipart/form-data; boundary=x' }, 415],
    ['another charset', { 'content-type': 'application/json; charset=utf-16' }, 415],
    ['compression', { 'content-type': 'application/json', 'content-encoding': 'gzip' }, 415],
  ];

  it.each(cases)('[H16] [T10.body-type] %s', async (_name, headers, status) => {
    await using running = await start([echo]);
    const sent = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value === 'URL' ? running.url : value]),
    );
    const answer = await post(running.url, '{"a":1}', sent);
    expect(answer).toEqual(
      status === 200
        ? { status, code: undefined, got: { a: 1 } }
        : { status, code: 'UNSUPPORTED_MEDIA_TYPE', got: undefined },
    );
  });

  it('reads an untyped body, and none at all as undefined', async () => {
    await using running = await start([echo]);
    const head = `POST /echo HTTP/1.1\r\nHost: localhost:${running.port}\r\nConnection: close\r\n`;
    expect(await raw(running.port, `${head}Content-Length: 2\r\n\r\n{}`)).toMatch(/200 OK[\s\S]*\{"got":\{\}\}$/u);
    expect((await post(running.url, undefined, { origin: running.url })).got).toBeNull();
  });
});

describe('limits', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  const keys = (count: number): string => `{${Array.from({ length: count }, (_, index) => `"k${index}":0`).join(',')}}`;

  it.each([
    ['broken JSON', '{"a":', 400, 'VALIDATION_ERROR'],
    ['64 levels', nested(64), 200, undefined],
    ['65 levels', nested(65), 400, 'VALIDATION_ERROR'],
    ['100,000 levels', nested(100_000), 400, 'VALIDATION_ERROR'],
    ['10,000 keys', keys(10_000), 200, undefined],
    ['10,001 keys', keys(10_001), 400, 'VALIDATION_ERROR'],
    ['brackets in a string', JSON.stringify('\\"[{'.repeat(200)), 200, undefined],
    ['256 KiB', `"${'x'.repeat(262_142)}"`, 200, undefined],
    ['a byte more', `"${'x'.repeat(262_143)}"`, 413, 'PAYLOAD_TOO_LARGE'],
  ])('[T10.body-json, T10.body-size] %s', async (_name, body, status, code) => {
    await using running = await start([echo]);
    const answer = await post(running.url, body, { 'content-type': 'application/json' });
    expect([answer.status, answer.code]).toEqual([status, code]);
    expect((await post(running.url, '{}', { 'content-type': 'application/json' })).status).toBe(200);
  });

  it('[T10.body-json] refuses what is not UTF-8', async () => {
    await using running = await start([echo]);
    const answer = await post(running.url, Uint8Array.from([0x22, 0xff, 0x22]), { 'content-type': 'application/json' });
    expect([answer.status, answer.code]).toEqual([400, 'VALIDATION_ERROR']);
  });

  it.each([
    ['announced', { 'content-length': String(10_000_000) }],
    ['in chunks', { 'transfer-encoding': 'chunked' }],
  ])('[T10.body-size] answers 10 MB, %s, at once and lets the sender see it', async (_name, headers) => {
    await using running = await start([echo]);
    const answer = await new Promise<{ status: number | undefined; text: string; connection: string | undefined }>(
      (resolve, reject) => {
        const sent = httpRequest(`${running.url}/echo`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
        });
        sent.on('error', reject);
        sent.on('response', (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('end', () =>
            resolve({ status: response.statusCode, text, connection: response.headers.connection }),
          );
        });
        // All of it is sent, without a look at the answer, as simple clients do.
        for (let part = 0; part < 10; part += 1) sent.write('x'.repeat(1_000_000));
        sent.end();
      },
    );
    expect([answer.status, answer.connection]).toEqual([413, 'close']);
    expect(answer.text).toContain('PAYLOAD_TOO_LARGE');
    expect((await post(running.url, '{}', { 'content-type': 'application/json' })).status).toBe(200);
  });

  it('[T10.body-size] says 413 instead of 100 Continue, and 100 Continue where the body may come', async () => {
    await using running = await start([echo]);
    const head = `POST /echo HTTP/1.1\r\nHost: localhost:${running.port}\r\nConnection: close\r\nExpect: 100-continue\r\n`;
    const refused = raw(running.port, `${head}Content-Length: 10000000\r\n\r\n`);
    expect(await refused).toMatch(/^HTTP\/1\.1 413 /u);
    expect(await raw(running.port, `${head}Content-Length: 2\r\n\r\n{}`)).toMatch(
      /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /u,
    );
  });

  it('takes the limit of the route', async () => {
    await using running = await start([{ ...echo, maxBodyBytes: 10 }]);
    expect((await post(running.url, '"12345678"', { 'content-type': 'application/json' })).status).toBe(200);
    expect((await post(running.url, '"123456789"', { 'content-type': 'application/json' })).status).toBe(413);
  });
});

describe('parseJson', () => {
  it.each([
    '{"__proto__":{"x":1},"a":{"__proto__":{"x":1}}}',
    String.raw`{"\u005f_proto__":{"x":1},"a":{"_\u005Fproto__":{"x":1}}}`,
  ])('leaves a __proto__ member out: %s', (text) => {
    const value = parseJson(text) as { a: { x?: unknown }; x?: unknown };
    expect(Object.keys(value)).toEqual(['a']);
    expect(Object.keys(value.a)).toEqual([]);
    expect([value.x, value.a.x, Object.assign({}, value).x]).toEqual([undefined, undefined, undefined]);
  });
});
