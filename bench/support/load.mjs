import { once } from 'node:events';
import { connect } from 'node:net';

/** The bytes of one POST, made before the clock runs. */
const encode = ({ path, headers, body }) => {
  const lines = Object.entries({ ...headers, host: 'localhost', 'content-length': Buffer.byteLength(body) });
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
  );
};

const HEAD_END = Buffer.from('\r\n\r\n');
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

/** One connection that sends a request when the last one is answered; it reads no more of an answer than its length. */
const openConnection = async (port) => {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  await once(socket, 'connect');
  let settle = () => undefined;
  let head = '';
  let left = -1;
  let received = 0;
  let tail = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    let rest = chunk;
    received += chunk.length;
    if (head === '') {
      const end = chunk.indexOf(HEAD_END);
      head = chunk.subarray(0, end).toString('latin1');
      rest = chunk.subarray(end + HEAD_END.length);
      const length = /^content-length: (\d+)/imu.exec(head)?.[1];
      left = length === undefined ? -1 : Number(length);
    }
    if (left >= 0) left -= rest.length;
    // Only an answer of unknown length is looked at for its end.
    if (left < 0) tail = Buffer.concat([tail, rest.subarray(-LAST_CHUNK.length)]).subarray(-LAST_CHUNK.length);
    if (left === 0 || (left < 0 && tail.equals(LAST_CHUNK))) settle();
  });
  return {
    /** @returns the bytes of the answer */
    send: (bytes) =>
      new Promise((resolve, reject) => {
        head = '';
        received = 0;
        tail = Buffer.alloc(0);
        settle = () => {
          if (head.startsWith('HTTP/1.1 200')) resolve(received);
          else reject(new Error(head.split('\r\n')[0]));
        };
        socket.write(bytes);
      }),
    close: () => socket.destroy(),
  };
};

/**
 * Sends `count` requests over so many connections, one at a time on each.
 * @returns what it took: milliseconds, milliseconds of each request on average, bytes of all answers
 */
export const load = async (port, makeRequest, { count, connections }) => {
  const requests = Array.from({ length: Math.min(count, 1000) }, (_, index) => encode(makeRequest(index)));
  const opened = await Promise.all(Array.from({ length: connections }, () => openConnection(port)));
  let next = 0;
  let bytes = 0;
  let waited = 0;
  const began = performance.now();
  const work = async (connection) => {
    while (next < count) {
      next += 1;
      const sent = performance.now();
      bytes += await connection.send(requests[next % requests.length]);
      waited += performance.now() - sent;
    }
  };
  await Promise.all(opened.map(work));
  const ms = performance.now() - began;
  for (const connection of opened) connection.close();
  return { ms, average: waited / count, bytes };
};
