import { connect } from 'node:net';
import { figure } from './figure.mjs';
import { median } from './process.mjs';
import { HEADERS } from './task-mcp-load.mjs';
import { startServer } from './task-mcp-process.mjs';

const IDLE = 10_000;
const SESSIONS = 500;

/** Listeners of one front; sessions of MCP, of which fewer are kept, have a server each beside their stream. */
export async function* idle(options) {
  const server = await startServer('oursInMemory', options);
  const sockets = [];
  const open = (path) =>
    new Promise((resolve, reject) => {
      const socket = connect(server.port, '127.0.0.1', () =>
        socket.write(
          `GET ${path} HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\nauthorization: ${HEADERS.authorization}\r\n\r\n`,
        ),
      );
      // The first bytes are the head; what follows is read and dropped.
      socket
        .once('data', resolve)
        .on('data', () => undefined)
        .on('error', reject);
      sockets.push(socket);
    });
  const openMany = async (path, count) => {
    for (let done = 0; done < count; done += 100) await Promise.all(Array.from({ length: 100 }, () => open(path)));
  };
  try {
    await openMany('/events', 100);
    const before = await server.memory();
    await openMany('/events', IDLE);
    const after = await server.memory();
    const each = (after.rss - before.rss) / IDLE / 1024;
    yield figure('idle event stream, of 10,000', each, 'KB', { goal: '≤ 16 KB', ok: each <= 16 });
    const sweeps = [];
    for (let round = 0; round < 5; round += 1) sweeps.push((await server.sweep()).sweepMs);
    const worst = median(sweeps);
    yield figure('heartbeat to 10,000 streams', worst, 'ms CPU', { goal: '≤ 50 ms', ok: worst <= 50 });
    await openMany('/sse', SESSIONS);
    const whole = await server.memory();
    yield figure('idle HTTP+SSE session', (whole.rss - after.rss) / SESSIONS / 1024, 'KB');
  } finally {
    for (const socket of sockets) socket.destroy();
    await server.stop();
  }
}
