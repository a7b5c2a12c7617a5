/** Keeps the last `capacity` bytes of a stream. */
export const createByteRing = (capacity: number): { push(chunk: Buffer): void; text(): string } => {
  const ring = Buffer.alloc(capacity);
  let written = 0;
  return {
    push(chunk) {
      const tail = chunk.length > capacity ? chunk.subarray(chunk.length - capacity) : chunk;
      const at = written % capacity;
      const first = tail.copy(ring, at);
      if (first < tail.length) tail.copy(ring, 0, first);
      written += tail.length;
    },
    text() {
      if (written <= capacity) return ring.toString('utf8', 0, written);
      const at = written % capacity;
      return Buffer.concat([ring.subarray(at), ring.subarray(0, at)]).toString('utf8');
    },
  };
};
