/** One event of a `text/event-stream`. */
export interface SseEvent {
  readonly event?: string;
  readonly id?: string;
  readonly data: string;
  /** Milliseconds that a client waits before it reconnects. */
  readonly retry?: number;
}

const oneLine = (text: string): string => (/[\r\n\0]/u.test(text) ? text.replaceAll(/[\r\n\0]/gu, ' ') : text);

/** Encodes an event; line breaks of any kind in `data` become several `data:` lines, so that nothing can be injected. */
export const encodeSse = (event: SseEvent): string => {
  let frame = '';
  if (event.event !== undefined) frame += `event: ${oneLine(event.event)}\n`;
  if (event.id !== undefined) frame += `id: ${oneLine(event.id)}\n`;
  if (event.retry !== undefined) frame += `retry: ${event.retry}\n`;
  // JSON has no line breaks, and it is what nearly every event carries.
  const isOneLine = !event.data.includes('\n') && !event.data.includes('\r');
  for (const line of isOneLine ? [event.data] : event.data.split(/\r\n|\n|\r/u)) frame += `data: ${line}\n`;
  return `${frame}\n`;
};

/** A comment line, which clients ignore. */
export const encodeSseComment = (text: string): string => `: ${oneLine(text)}\n\n`;

/** Decodes a stream of text chunks into events, however the chunks are cut. */
export async function* decodeSse(chunks: AsyncIterable<string>): AsyncGenerator<SseEvent> {
  let buffer = '';
  let event: string | undefined;
  let id: string | undefined;
  let data: string[] = [];
  let afterCr = false;
  for await (const chunk of chunks) {
    buffer += afterCr && chunk.startsWith('\n') ? chunk.slice(1) : chunk;
    afterCr = chunk.length === 0 ? afterCr : chunk.endsWith('\r');
    for (let end = buffer.search(/[\r\n]/u); end >= 0; end = buffer.search(/[\r\n]/u)) {
      const line = buffer.slice(0, end);
      buffer = buffer.slice(end + (buffer.startsWith('\r\n', end) ? 2 : 1));
      if (line === '') {
        if (data.length > 0) {
          yield {
            data: data.join('\n'),
            ...(event === undefined ? {} : { event }),
            ...(id === undefined ? {} : { id }),
          };
        }
        event = undefined;
        data = [];
        continue;
      }
      const colon = line.indexOf(':');
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /u, '');
      if (field === 'event') event = value;
      else if (field === 'data') data.push(value);
      else if (field === 'id') id = value;
    }
  }
}
