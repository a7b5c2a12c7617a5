import { describe, expect, it } from 'vitest';
import { encodeSse } from './sse.ts';
import { collect, cut, roundTrip } from './sse-harness.ts';

describe('SSE codec', () => {
  it('[H8] brings every event back, however the bytes are cut; an id stays until the next one', async () => {
    await roundTrip(100);
  });

  it('lets no field be injected through event, id or data', async () => {
    const text = encodeSse({ event: 'a\nevent: forged', id: '1\r\nid: 2', data: 'x\n\nevent: forged\ndata: y' });
    expect(await collect(cut(text, [3]))).toEqual([
      { event: 'a event: forged', id: '1  id: 2', data: 'x\n\nevent: forged\ndata: y' },
    ]);
  });

  it('reads CR, LF and CRLF ends', async () => {
    expect(await collect(cut('data: a\r\rdata: b\r\n\r\ndata: c\n\n', [1]))).toEqual([
      { data: 'a' },
      { data: 'b' },
      { data: 'c' },
    ]);
  });
});
