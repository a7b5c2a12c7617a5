import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@cloutagent/client';
import { describe, expect, it } from 'vitest';
import { openTempProject, type TempProject } from './support/project.ts';

const MIB = 1024 * 1024;
const MEASURED = path.join(import.meta.dirname, 'support', 'measured.mjs');
/** Of the system, what is on the way between two sockets may be some megabytes: the answer is far longer. */
const LONG_FRAMES = 40_000;
const READERS = 5;

const frame = (event: { readonly type: string; readonly [field: string]: unknown }): string =>
  `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
const delta = (text: string): string =>
  frame({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } });
const HEAD =
  frame({ type: 'message_start', message: { content: [], usage: { input_tokens: 10, output_tokens: 1 } } }) +
  frame({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } });
const TAIL =
  frame({ type: 'content_block_stop', index: 0 }) +
  frame({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 5 } }) +
  frame({ type: 'message_stop' });

/** A model that writes as fast as it is read: 40 MB where the prompt says `long`, 300 KB for `whole`, else a word. */
const serveModel = async () => {
  let sent = 0;
  const part = delta('x'.repeat(1000));
  const flood = (response: ServerResponse): void => {
    let left = LONG_FRAMES;
    const push = (): void => {
      while (left > 0) {
        left -= 1;
        sent += 1;
        if (!response.write(part)) {
          response.once('drain', push);
          return;
        }
      }
      response.end(TAIL);
    };
    push();
  };
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': 'req_1' });
      response.write(HEAD);
      if (body.includes('long')) flood(response);
      else response.end(delta(body.includes('whole') ? 'y'.repeat(300_000) : 'Hello') + TAIL);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Frames that were handed to the system, once nobody takes any more. */
    settled: async (): Promise<number> => {
      for (let before = -1; ;) {
        if (sent === before && sent > 0) return sent;
        before = sent;
        await sleep(500);
      }
    },
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

type Answer = Readonly<Record<string, unknown>>;

const startMeasured = (args: readonly string[], project: TempProject, modelUrl: string) => {
  const child = spawn(process.execPath, ['--expose-gc', MEASURED, ...args], {
    cwd: import.meta.dirname,
    env: { ...project.env, ANTHROPIC_API_URL: modelUrl, ANTHROPIC_API_KEY: 'sk-ant-none' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<Answer> => {
    const { value } = (await lines.next()) as { value?: string };
    if (value === undefined) throw new Error('the process ended');
    return JSON.parse(value) as Answer;
  };
  return {
    next,
    ask: (question: 'memory' | 'go'): Promise<Answer> => {
      child.stdin.write(`${question}\n`);
      return next();
    },
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
};

/** A client that asks and then never reads. */
const openDeaf = (url: string, token: string, method: string, where: string, body = ''): Socket => {
  const { port } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  const head = [
    `${method} ${where} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ];
  socket.on('error', () => undefined);
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  return socket.pause();
};

/** The memory of the process once so many readers are held up and nothing more is written to them. */
const memoryOf = async (measured: ReturnType<typeof startMeasured>, readers: number): Promise<Answer> => {
  for (let written = -1; ;) {
    const memory = await measured.ask('memory');
    if (memory['held'] === readers && memory['written'] === written) return memory;
    written = Number(memory['written']);
    await sleep(500);
  }
};

/** What each reader costs the process in bytes that live on after a collection, and how much was written to it. */
const costOf = async (
  measured: ReturnType<typeof startMeasured>,
  open: () => Socket,
): Promise<{ readonly grown: number; readonly written: number }> => {
  // The first one loads and compiles what all of them use.
  const first = open();
  const before = await memoryOf(measured, 1);
  const sockets = Array.from({ length: READERS }, open);
  // They are held up, not cut off.
  const after = await memoryOf(measured, READERS + 1);
  for (const socket of [first, ...sockets]) socket.destroy();
  const each = (name: string): number => (Number(after[name]) - Number(before[name])) / READERS;
  return { grown: each('live'), written: each('written') };
};

describe('[E4.backpressure] a reader that stops reading', { timeout: 240_000 }, () => {
  it('of streamExecution stops the model, costs no more than 2 MiB, and misses nothing when it reads on', async () => {
    using project = openTempProject();
    using model = await serveModel();
    await using measured = startMeasured(['agent'], project, model.url);
    expect(await measured.next()).toEqual({ stopped: true });
    const before = await measured.ask('memory');
    const sent = await model.settled();
    const after = await measured.ask('memory');
    expect(sent).toBeLessThan(LONG_FRAMES / 2);
    const grown = Number(after['live']) - Number(before['live']);
    console.log('[E4.backpressure] streamExecution', { sent, grown });
    expect(grown).toBeLessThan(2 * MIB);
    expect(await measured.ask('go')).toEqual({ status: 'completed', length: LONG_FRAMES * 1000 });
  });

  it('of an agent over HTTP stops the model and costs the server no more than 2 MiB', async () => {
    using project = openTempProject();
    using model = await serveModel();
    await using measured = startMeasured(['server', project.root], project, model.url);
    const { url, token } = (await measured.next()) as { url: string; token: string };
    const client = createClient({ baseUrl: url, token });
    const config = { name: 'a', model: 'claude-sonnet-5-5', systemPrompt: 'x', maxTokens: 128_000 };
    await client.call('agentCreate', { body: { ...config, id: 'a' } });
    const input = JSON.stringify({ input: 'long' });
    const { grown, written } = await costOf(measured, () =>
      openDeaf(url, token, 'POST', '/api/agents/a/stream', input),
    );
    const sent = await model.settled();
    console.log('[E4.backpressure] agent over HTTP', { sent, grown, written });
    expect(sent).toBeLessThan(((READERS + 1) * LONG_FRAMES) / 2);
    // What was written is on its way through the system; its text stays, because it is the conversation's.
    expect(grown - written).toBeLessThan(2 * MIB);
  });

  it('of a run costs the server no more than 2 MiB, however much there is to read', async () => {
    using project = openTempProject();
    using model = await serveModel();
    await using measured = startMeasured(['server', project.root], project, model.url);
    const { url, token } = (await measured.next()) as { url: string; token: string };
    const client = createClient({ baseUrl: url, token });
    // 9 MB of text in fewer events than are read at a time, and twice what fits the buffers of the system.
    const nodes = Array.from({ length: 30 }, (_, nth) => ({
      id: `n${nth}`,
      type: 'agent' as const,
      data: { systemPrompt: 'whole' },
    }));
    const end = { id: 'end', type: 'template' as const, data: { template: 'x' } };
    const edges = nodes.map(({ id }) => ({ source: id, target: 'end' }));
    const workflow = { format: 1 as const, nodes: [...nodes, end], edges, variables: {} };
    const { id } = await client.call('workflowRun', { body: { workflow, input: 'go', budget: '100' } });
    for await (const event of client.events(id, { after: 0, untilSettled: true })) void event;
    expect((await client.call('runShow', { params: { id } })).run.status).toBe('completed');
    for (const where of [`/api/runs/${id}/frames`, `/api/runs/${id}/events`]) {
      const { grown } = await costOf(measured, () => openDeaf(url, token, 'GET', where));
      console.log('[E4.backpressure]', where.split('/').at(-1), { grown });
      expect(grown).toBeLessThan(2 * MIB);
    }
  });
});
