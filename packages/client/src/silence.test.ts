import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RunEvent } from '@cloutagent/contract';
import { encodeSse, systemClock, type Clock } from '@cloutagent/kit';
import { expect, test } from 'vitest';
import { createClient } from './client.ts';

test('a connection that says nothing for a minute is given up, and what follows comes over another', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(String(request.headers['last-event-id']));
    const seq = asked.length;
    const event: RunEvent = { seq, runId: 'run_1', at: 0, body: { type: 'task.started', taskId: '1', title: '' } };
    response
      .writeHead(200, { 'content-type': 'text/event-stream' })
      .write(encodeSse({ event: 'run', id: String(seq), data: JSON.stringify(event) }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  let now = 0;
  let hear: () => void = () => undefined;
  const heard = new Promise<void>((resolve) => (hear = resolve));
  // The minute passes on the first connection only, once its event was heard.
  const clock: Clock = {
    ...systemClock,
    monotonic: () => now,
    sleep: async (ms, signal) => {
      if (ms < 30_000) return;
      if (asked.length > 1) return systemClock.sleep(ms, signal);
      await heard;
      now += ms;
    },
  };
  try {
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on TCP
    const seen: number[] = [];
    for await (const { event, data } of createClient({ baseUrl, clock }).events('run_1')) {
      if (event === 'run') seen.push(data.seq);
      hear();
      if (seen.length === 2) break;
    }
    expect([seen, asked]).toEqual([
      [1, 2],
      ['0', '1'],
    ]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
