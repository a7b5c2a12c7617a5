// One server of bench/simulator.bench.mjs in a process of its own: node simulator-server.mjs KIND OPTIONS
import { createServer } from 'node:http';

const [kind, encoded] = process.argv.slice(2);
const options = JSON.parse(encoded ?? '{}');

/** What nobody can do without: the body parsed, an answer of the same size, a write for each event of a stream. */
const raw = () => {
  const answer = JSON.stringify({ type: 'message', content: [{ type: 'text', text: options.text }], usage: {} });
  const delta = `event: content_block_delta\ndata: ${JSON.stringify({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'three words here' } })}\n\n`;
  return new Promise((resolve) => {
    const server = createServer((request, response) => {
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        const body = JSON.parse(Buffer.concat(chunks).toString());
        if (body.stream !== true) {
          response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length }).end(answer);
          return;
        }
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        for (let index = 0; index < options.deltas; index += 1) response.write(delta);
        response.end();
      });
    });
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
};

const simulator = async () => {
  const { startSimulator } = await import('@cloutagent/simulator');
  const { url } = await startSimulator({ port: 0, host: '127.0.0.1', ...options.simulator });
  return Number(new URL(url).port);
};

const port = await (kind === 'raw' ? raw() : simulator());
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send({ cpu: user + system, rss: process.memoryUsage().rss });
});
process.send({ port });
