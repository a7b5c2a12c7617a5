/** One value as a line of `application/x-ndjson`. */
export const encodeNdjson = (value: unknown): string => `${JSON.stringify(value)}\n`;

/** Decodes text chunks into the values of their lines; blank lines are skipped, a broken line throws `SyntaxError`. */
export async function* decodeNdjson(chunks: AsyncIterable<string>): AsyncGenerator<unknown> {
  let buffer = '';
  for await (const chunk of chunks) {
    buffer += chunk;
    const lines = buffer.split('\n');
    buffer = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as unknown;
  }
  if (buffer.trim() !== '') yield JSON.parse(buffer) as unknown;
}
