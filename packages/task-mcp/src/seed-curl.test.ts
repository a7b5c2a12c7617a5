import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { serveProject, type Served } from './harness.ts';

/** Every `curl` line of seed 002, in its order and as it is written there, each once. */
const LINES = readFileSync(new URL('../fixtures/seed-curl.txt', import.meta.url), 'utf8')
  .trim()
  .split(/\n\n(?=\S)/u);

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
}

/** Words of a shell line, with the quotes and continuations that the seed uses. */
const wordsOf = (line: string): readonly string[] =>
  [...line.replaceAll('\\\n', ' ').matchAll(/'([^']*)'|"((?:[^"\\]|\\.)*)"|([^\s'"]+)/gu)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? '',
  );

/** What curl sends for a line: its own defaults are part of what the seed promises. */
const askedBy = (line: string): Asked => {
  const words = wordsOf(
    line
      .replace(/^\w+=\$\(/u, '')
      .replace(/\s*\|.*$/su, '')
      .replace(/\)$/u, ''),
  );
  const headers: Record<string, string> = { accept: '*/*', 'user-agent': 'curl/8.5.0' };
  let method: string | undefined;
  let body: string | undefined;
  let path = '';
  for (let index = 1; index < words.length; index += 1) {
    const word = words[index] ?? '';
    const value = words[index + 1] ?? '';
    if (['-X', '-H', '-d', '-w', '-o'].includes(word)) index += 1;
    if (word === '-X') method = value;
    else if (word === '-I') method = 'HEAD';
    else if (word === '-d') body = value;
    else if (word === '-H') {
      const [name = '', ...rest] = value.split(':');
      headers[name.toLowerCase()] = rest.join(':').trim().replace(/\$\w+/u, 'token');
    } else if (/^(?:http:\/\/localhost:8443|\$ENDPOINT)\//u.test(word))
      path = word.replace(/^(?:http:\/\/[^/]*|\$\w+)/u, '');
  }
  if (body !== undefined) headers['content-type'] ??= 'application/x-www-form-urlencoded';
  return { method: method ?? (body === undefined ? 'GET' : 'POST'), path, headers, body };
};

const send = (served: Served, { method, path, headers, body }: Asked) =>
  new Promise<{ status: number; type: string; text: string }>((resolve, reject) => {
    const sent = request(`${served.url}${path}`, { method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });

/** The type that a line gets: what the path speaks. */
const typeOf = ({ path }: Asked): string =>
  path === '/sse' ? 'text/event-stream' : path === '/mcp' ? 'application/x-ndjson' : 'application/json';

const isResult = ({ path }: Asked, text: string): boolean => {
  if (path === '/sse') return /^event: result$/mu.test(text);
  if (path === '/mcp') return text.includes('"type":"result"') && text.includes('"type":"end"');
  return true;
};

describe('the curl lines of the seed', () => {
  it('[T24.curl, T24.content-type, T24.workflows] work as they are written, one after the other', async () => {
    await using served = await serveProject();
    const answers = [];
    for (const line of LINES) {
      const asked = askedBy(line);
      const { status, type, text } = await send(served, asked);
      const head = asked.method === 'HEAD';
      answers.push({ line, status, type, said: head ? text === '' : isResult(asked, text) });
    }
    expect(answers).toEqual(LINES.map((line) => ({ line, status: 200, type: typeOf(askedBy(line)), said: true })));
  });

  it('[T24.curl] need their token where tokens are configured', async () => {
    await using served = await serveProject({ front: { tokens: { user: ['devtoken'], admin: [] } } });
    const answers = [];
    for (const line of LINES) {
      const asked = askedBy(line);
      const token = asked.headers['authorization'];
      const isProbe = ['/healthz', '/readyz', '/'].includes(asked.path) && token === undefined;
      const { status } = await send(served, asked);
      // After ten wrong tokens the guard of logins answers 429; who is let in may still hear a tool's own error.
      answers.push({ line, expected: token === 'Bearer devtoken' || isProbe, letIn: ![401, 429].includes(status) });
    }
    expect(answers.filter(({ expected, letIn }) => expected !== letIn)).toEqual([]);
  });

  it('[T24.workflows] go together with what its programs do: many opens, a read of each link, a wait for a result', async () => {
    await using served = await serveProject();
    const changes = [
      { title: 'Implement OAuth2 authentication', slug: 'oauth2-auth', template: 'feature' },
      { title: 'Fix login redirect loop', slug: 'login-redirect-fix', template: 'bugfix' },
      { title: 'Update dependencies', slug: 'dependency-update', template: 'chore' },
    ];
    for (const input of changes) {
      const response = await served.post('/sse', { tool: 'change.open', input }, { accept: 'text/event-stream' });
      // As the Python client of the seed reads it: the first data line that has a result.
      const data = (await response.text()).split('\n').find((line) => line.startsWith('data: ')) ?? '';
      const { result } = JSON.parse(data.slice('data: '.length)) as { result: { content: { uri?: string }[] } };
      const links = result.content.flatMap(({ uri }) => (uri === undefined ? [] : [uri]));
      expect(links).toContain(`@task:change://${input.slug}/tasks`);
      for (const uri of links) {
        const read = await served.post('/mcp', { uri, method: 'resource/read' });
        expect(await read.json()).toMatchObject({ contents: [{ uri, mimeType: 'text/markdown' }] });
      }
    }
  });
});
