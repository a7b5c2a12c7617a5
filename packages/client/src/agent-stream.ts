import { CloutError, StreamChunk } from '@cloutagent/contract';
import { decodeSse } from '@cloutagent/kit';
import { errorFromEnvelope, unreachable } from './request.ts';

/** Reads the chunks of an agent's stream; ends after `done`. Throws the server's error, SERVER_UNREACHABLE where it went away before. */
export async function* readChunks(baseUrl: string, response: Response): AsyncGenerator<StreamChunk, void> {
  if (response.body === null) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const text = async function* (): AsyncGenerator<string, void> {
    for (;;) {
      const { value, done } = await reader.read().catch((error: unknown) => {
        throw unreachable(baseUrl, error);
      });
      if (done) return;
      yield value;
    }
  };
  try {
    for await (const event of decodeSse(text())) {
      if (event.event === 'error')
        throw errorFromEnvelope(event.data) ?? new CloutError('UNKNOWN_ERROR', 'The server ended the stream');
      if (event.event !== 'chunk') continue;
      const chunk = StreamChunk.safeParse(JSON.parse(event.data));
      // A newer server may send kinds that this version does not know.
      if (!chunk.success) continue;
      yield chunk.data;
      if (chunk.data.type === 'done') return;
    }
    throw unreachable(baseUrl, new Error('the stream ended before the execution'));
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
