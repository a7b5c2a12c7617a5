import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { auth, spawned } from './process-harness.ts';

const BIN = fileURLToPath(new URL('../bin/task-mcp.mjs', import.meta.url));
const SLUGS = 1000;
/** MCP on standard input and output, and two forms over HTTP. */
const KINDS = ['stdio', '/mcp', 'stdio', '/sse', 'stdio', '/mcp', 'stdio', '/sse'] as const;
type Kind = (typeof KINDS)[number];

/** Asks one process to open a change; gives its answer as text. */
interface Client extends AsyncDisposable {
  open(slug: string): Promise<string>;
}

const overStdio = async (root: string): Promise<Client> => {
  const child = spawn(process.execPath, [BIN], {
    env: { ...process.env, WORKING_DIRECTORY: root },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    open: async (slug) => {
      const params = { name: 'change.open', arguments: { title: 'T', slug } };
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: slug, method: 'tools/call', params })}\n`);
      for (;;) {
        const { value, done } = await lines.next();
        if (done === true) throw new Error('the process ended');
        // What the server tells of its own accord has no id.
        if (value.includes('"id":')) return value;
      }
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
};

const overHttp = async (root: string, route: '/mcp' | '/sse'): Promise<Client> => {
  const server = await spawned({ RATE_LIMIT: '0', AUDIT_LOG: 'off' }, { root });
  return {
    open: async (slug) => {
      const body = JSON.stringify({ tool: 'change.open', input: { title: 'T', slug } });
      const headers = { ...auth, 'content-type': 'application/json' };
      const response = await fetch(`${server.url}${route}`, { method: 'POST', headers, body });
      const text = await response.text();
      return `${response.status === 409 || response.status === 200 ? '' : response.status} ${text}`;
    },
    [Symbol.asyncDispose]: async () => server[Symbol.asyncDispose](),
  };
};

const clientsOn = async (root: string): Promise<AsyncDisposable & { clients: readonly [Kind, Client][] }> => {
  const clients: [Kind, Client][] = [];
  for (const kind of KINDS) clients.push([kind, await (kind === 'stdio' ? overStdio(root) : overHttp(root, kind))]);
  return {
    clients,
    [Symbol.asyncDispose]: async () => {
      for (const [, client] of clients) await client[Symbol.asyncDispose]();
    },
  };
};

const endOf = (answer: string): string =>
  /CHANGE_ALREADY_EXISTS/u.exec(answer)?.[0] ?? (answer.includes('created successfully') ? 'ok' : answer);

it(`[F1] [T6.exists] 8 processes, over stdio and HTTP, open the same ${SLUGS} slugs: exactly one winner each, and every change is whole`, async () => {
  const root = await mkdtemp(join(tmpdir(), 'task-mcp-race-'));
  await using group = await clientsOn(root);
  const winners = new Map<string, string[]>();
  const others = new Map<string, number>();
  await Promise.all(
    group.clients.map(async ([kind, client]) => {
      for (let index = 0; index < SLUGS; index += 1) {
        const slug = `same-${index}`;
        const end = endOf(await client.open(slug));
        if (end === 'ok') winners.set(slug, [...(winners.get(slug) ?? []), kind]);
        else others.set(end, (others.get(end) ?? 0) + 1);
      }
    }),
  );
  expect(Object.fromEntries(others)).toEqual({ CHANGE_ALREADY_EXISTS: 7 * SLUGS });
  expect(winners.size).toBe(SLUGS);
  expect([...winners.values()].filter((kinds) => kinds.length !== 1)).toEqual([]);
  // They really ran beside each other.
  expect(new Set([...winners.values()].flat())).toEqual(new Set(KINDS));
  const changes = join(root, 'openspec/changes');
  expect((await readdir(changes)).filter((name) => name !== 'archive')).toHaveLength(SLUGS);
  for (const slug of winners.keys()) {
    for (const file of ['.openspec.yaml', 'proposal.md', 'tasks.md', `specs/${slug}/spec.md`]) {
      expect(await readFile(join(changes, slug, file), 'utf8'), `${slug}/${file}`).toMatch(/\S\n$/u);
    }
  }
  await rm(root, { recursive: true, maxRetries: 10 });
}, 1_800_000);
