import { describe, expect, it } from 'vitest';
import { raw, start } from './harness.ts';
import { isLoopback } from './site.ts';
import type { Route } from './types.ts';

const ok: Route = { method: 'GET', path: '/ok', scope: 'read', handler: () => ({ kind: 'json', body: { ok: true } }) };

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/u.exec(answer)?.[1]);

describe('[H6] [T13.rebinding] Host and Origin on a loopback bind', () => {
  const cases: readonly (readonly [string, number, (port: number) => string])[] = [
    ['127.0.0.1 with our port', 200, (port) => `GET /ok HTTP/1.1\r\nHost: 127.0.0.1:${port}`],
    ['localhost in capitals', 200, (port) => `GET /ok HTTP/1.1\r\nHost: LOCALHOST:${port}`],
    ['[::1]', 200, (port) => `GET /ok HTTP/1.1\r\nHost: [::1]:${port}`],
    ['a foreign host name', 403, (port) => `GET /ok HTTP/1.1\r\nHost: evil.example:${port}`],
    ['a name that begins like ours', 403, (port) => `GET /ok HTTP/1.1\r\nHost: localhost.evil.example:${port}`],
    ['another port', 403, (port) => `GET /ok HTTP/1.1\r\nHost: localhost:${port + 1}`],
    ['a malformed host', 403, (port) => `GET /ok HTTP/1.1\r\nHost: localhost:${port}/x`],
    [
      'two Host headers, ours first',
      403,
      (port) => `GET /ok HTTP/1.1\r\nHost: localhost:${port}\r\nHost: evil.example`,
    ],
    ['two Host headers, ours last', 403, (port) => `GET /ok HTTP/1.1\r\nhOST: evil.example\r\nHost: localhost:${port}`],
    ['no Host in HTTP/1.0', 403, () => `GET /ok HTTP/1.0`],
    ['no Host in HTTP/1.1', 400, () => `GET /ok HTTP/1.1`],
    [
      'an absolute target of another host',
      403,
      (port) => `GET http://evil.example/ok HTTP/1.1\r\nHost: localhost:${port}`,
    ],
    [
      'an absolute target of our host',
      200,
      (port) => `GET http://localhost:${port}/ok HTTP/1.1\r\nHost: localhost:${port}`,
    ],
    [
      'our own Origin',
      200,
      (port) => `GET /ok HTTP/1.1\r\nHost: localhost:${port}\r\nOrigin: http://localhost:${port}`,
    ],
    ['a null Origin', 403, (port) => `GET /ok HTTP/1.1\r\nHost: localhost:${port}\r\nOrigin: null`],
    ['a foreign Origin', 403, (port) => `GET /ok HTTP/1.1\r\nHost: localhost:${port}\r\nOrigin: http://evil.example`],
    ['another local page', 403, (port) => `GET /ok HTTP/1.1\r\nHost: localhost:${port}\r\nOrigin: http://localhost:1`],
    [
      'two Origins',
      403,
      (port) => `GET /ok HTTP/1.1\r\nHost: localhost:${port}\r\nOrigin: http://localhost:${port}\r\nOrigin: null`,
    ],
    ['an empty Origin', 403, (port) => `GET /ok HTTP/1.1\r\nHost: localhost:${port}\r\nOrigin: `],
    ['an allowed Origin', 200, (port) => `GET /ok HTTP/1.1\r\nHost: localhost:${port}\r\nOrigin: https://app.example`],
    ['the host of an allowed origin', 401, () => `GET /ok HTTP/1.1\r\nHost: app.example`],
    [
      'a caller behind a proxy',
      401,
      (port) => `GET /ok HTTP/1.1\r\nHost: localhost:${port}\r\nX-Forwarded-For: 192.0.2.7`,
    ],
  ];

  it.each(cases)('%s: %i', async (_name, status, head) => {
    await using running = await start([ok], { allowedOrigins: ['https://app.example'] });
    const answer = await raw(running.port, `${head(running.port)}\r\nConnection: close\r\n\r\n`);
    expect(statusOf(answer)).toBe(status);
    expect(answer.includes('FORBIDDEN')).toBe(status === 403);
  });

  it('knows addresses of loopback', () => {
    const addresses = [
      '127.0.0.1',
      '127.8.9.1',
      '::1',
      '::ffff:127.0.0.1',
      'localhost',
      '0.0.0.0',
      '::',
      '10.0.0.1',
      '127.evil',
    ];
    expect(addresses.filter(isLoopback)).toEqual(['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1', 'localhost']);
  });
});

describe('broken requests', () => {
  it.each([
    ['no HTTP', 400, 'hello\r\n\r\n'],
    ['headers over 16 KiB', 431, `GET /ok HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
    ['two lengths', 400, 'POST /ok HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    [
      'a length and chunks',
      400,
      'POST /ok HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    ],
  ])('%s: %i, and the server lives on', async (_name, status, text) => {
    await using running = await start([ok]);
    expect(statusOf(await raw(running.port, text))).toBe(status);
    expect((await fetch(`${running.url}/ok`)).status).toBe(200);
  });
});
