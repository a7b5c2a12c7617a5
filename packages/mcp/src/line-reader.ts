const NEWLINE = 0x0a;

/**
 * Cuts a byte stream into lines of text, whatever the chunks are. A line is decoded only when it is whole, so a
 * character that is split over chunks survives. `push` throws `RangeError` once a line is longer than `maxBytes`.
 */
export const createLineReader = (maxBytes: number): { push(chunk: Buffer): string[] } => {
  let parts: Buffer[] = [];
  let size = 0;
  return {
    push(chunk) {
      const lines: string[] = [];
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        size += end - start;
        if (size > maxBytes) throw new RangeError(`a line is longer than ${maxBytes} bytes`);
        parts.push(chunk.subarray(start, end));
        lines.push(Buffer.concat(parts).toString('utf8'));
        parts = [];
        size = 0;
        start = end + 1;
      }
      if (start < chunk.length) {
        size += chunk.length - start;
        if (size > maxBytes) throw new RangeError(`a line is longer than ${maxBytes} bytes`);
        parts.push(chunk.subarray(start));
      }
      return lines;
    },
  };
};
