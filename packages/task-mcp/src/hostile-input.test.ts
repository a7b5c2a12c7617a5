import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { serveProject, type Served } from './harness.ts';

const CANARY = 'CANARY-of-elsewhere';
const open = (input: object) => ({ tool: 'change.open', input: { title: 'T', slug: 'a-change', ...input } });
const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
const keys = (count: number): string => `{${Array.from({ length: count }, (_, index) => `"k${index}":1`).join(',')}}`;

/** Bodies that hurt whoever parses them first, each with the answers that are right. */
const BODIES: Readonly<Record<string, readonly [body: string, statuses: readonly number[]]>> = {
  'deep by 100': [nested(100), [400]],
  'deep by 10,000': [nested(10_000), [400]],
  'deep by 1,000,000': [nested(1_000_000), [413]],
  '20,000 keys': [keys(20_000), [400]],
  '200,000 keys': [keys(200_000), [413]],
  'a title of 200 KB': [JSON.stringify(open({ title: 'x'.repeat(200_000) })), [400]],
  'a rationale of 200 KB': [JSON.stringify(open({ rationale: 'x'.repeat(200_000) })), [400]],
  'a body of 1 MB': [JSON.stringify(open({ rationale: 'x'.repeat(1_000_000) })), [413]],
  'ten thousand unknown members': [
    JSON.stringify(open(Object.fromEntries(Array.from({ length: 9000 }, (_, at) => [`m${at}`, at])))),
    [200, 400, 409],
  ],
};

/** CPU that one refusal may cost, in milliseconds; a body that is parsed before it is measured costs many times that. */
const CPU_PER_REFUSAL = 50;

describe('[F12] bodies that are too much', () => {
  it.each(Object.entries(BODIES))('%s: is refused at once, and the server goes on', async (_, [body, statuses]) => {
    await using served = await serveProject();
    await served.post('/mcp', open({ slug: 'warm-up' }));
    const costs: number[] = [];
    for (let count = 0; count < 9; count += 1) {
      const before = process.cpuUsage();
      const status = await served.post('/mcp', body).then(
        async (response) => {
          await response.arrayBuffer();
          return response.status;
        },
        // The connection may be closed while the rest of a large body is still on its way.
        () => 413,
      );
      const { user, system } = process.cpuUsage(before);
      costs.push((user + system) / 1000);
      expect(statuses).toContain(status);
    }
    expect(costs.sort((a, b) => a - b)[4]).toBeLessThan(CPU_PER_REFUSAL);
    expect((await served.post('/mcp', open({ slug: 'after-all' }))).status).toBe(200);
  });
});

/** As it is written, without the client's own tidying. */
const rawGet = (served: Served, target: string): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(served.url);
    const asked = request(
      { hostname, port, path: target, headers: { authorization: 'Bearer devtoken' } },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    asked.on('error', reject).end();
  });

const CLIMBS = [
  '..',
  '../..',
  '%2e%2e',
  '%2e%2e%2f%2e%2e',
  '..%5c..',
  '%252e%252e',
  '..;',
  './/..//',
  '%00',
  '..%c0%af',
  '/etc/passwd',
];

describe('[F8] [T6.traversal] addresses that climb out, over HTTP', () => {
  it('neither a slug, a file of a delta nor an address leads to what lies beside', async () => {
    await using served = await serveProject();
    await served.post('/mcp', open({}));
    const places = [
      'secret.md',
      'openspec/secret.md',
      'openspec/changes/secret.md',
      'openspec/changes/a-change/secret.md',
    ];
    for (const place of places) {
      await mkdir(path.dirname(path.join(served.root, place)), { recursive: true });
      await writeFile(path.join(served.root, place), CANARY);
    }
    let asked = 0;
    for (const climb of CLIMBS) {
      for (const uri of [
        `change://${climb}/secret.md`,
        `change://${climb}/proposal`,
        `change://a-change/${climb}/secret.md`,
        `change://a-change/delta/${climb}/secret.md`,
        `change://a-change/delta/${climb}`,
        `changes://archived/${climb}`,
        `changes://active?owner=${climb}`,
      ]) {
        const response = await served.post('/sse', { uri, method: 'resource/read' });
        expect(await response.text(), uri).not.toContain(CANARY);
        asked += 1;
      }
      for (const tool of ['change.open', 'change.archive']) {
        const response = await served.post('/mcp', { tool, input: { title: 'T', slug: `${climb}/secret` } });
        expect(response.status, climb).toBe(400);
      }
      for (const target of [`/${climb}/secret.md`, `/assets/${climb}/secret.md`, `/mcp/${climb}`]) {
        const { status, text } = await rawGet(served, target);
        expect(text, target).not.toContain(CANARY);
        // What only leads back to the root is answered there.
        expect([200, 400, 401, 403, 404, 405], target).toContain(status);
      }
    }
    expect(asked).toBe(CLIMBS.length * 7);
  });
});

describe('[F13] members that reach for the prototype', () => {
  it.each([
    '{"tool":"change.open","input":{"title":"T","slug":"a-change","__proto__":{"polluted":1}}}',
    '{"tool":"change.open","__proto__":{"polluted":1},"input":{"title":"T","slug":"a-change"}}',
    '{"tool":"change.open","input":{"title":"T","slug":"a-change","constructor":{"prototype":{"polluted":1}}}}',
    '{"tool":"change.open","input":{"title":"T","slug":"a-change","\\u005f\\u005fproto\\u005f\\u005f":{"polluted":1}}}',
    '{"__proto__":{"tool":"change.open"},"input":{"title":"T","slug":"a-change"}}',
  ])('%s: is refused or does nothing', async (body) => {
    await using served = await serveProject();
    const response = await served.post('/mcp', body);
    expect([200, 400]).toContain(response.status);
    await response.arrayBuffer();
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
    expect(Reflect.get(Object, 'polluted')).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});
