import { describe, expect, it } from 'vitest';
import { canonicalJson, decodeNdjson, encodeNdjson, Hub, newId, retryDelay, systemClock } from './index.ts';

describe('ids', () => {
  it('are prefixed UUIDv7 that sort by time', () => {
    const at = (now: number) => newId('run', { ...systemClock, now: () => now });
    const first = at(1_700_000_000_000);
    expect(first).toMatch(/^run_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/u);
    expect(first < at(1_700_000_000_001)).toBe(true);
    expect(Number.parseInt(first.slice(4, 16), 16)).toBe(1_700_000_000_000);
  });
});

describe('retryDelay', () => {
  const policy = { attempts: 4, baseMs: 500, capMs: 30_000 };
  it('doubles up to the cap, with full jitter', () => {
    expect([1, 2, 3, 10].map((next) => retryDelay(policy, next, 0.999_999))).toEqual([500, 1000, 2000, 30_000]);
    expect(retryDelay(policy, 3, 0)).toBe(0);
  });
  it("takes a server's retry-after as a floor, but never above the cap", () => {
    expect(retryDelay(policy, 1, 0.5, 7000)).toBe(7000);
    expect(retryDelay(policy, 1, 0.5, 3_600_000)).toBe(30_000);
  });
});

describe('canonicalJson', () => {
  it('does not depend on the order of keys', () => {
    expect(canonicalJson({ b: [{ d: 1, c: undefined }], a: null })).toBe('{"a":null,"b":[{"d":1}]}');
  });
  it('is the same for what is in order already, and sorts whatever is not', () => {
    const inside = { a: [undefined, { y: undefined, z: 'é"' }], b: { c: [{ e: 1, d: 2 }], toJSON: () => 'x' } };
    const text = '{"a":[null,{"z":"é\\""}],"b":{"c":[{"d":2,"e":1}]}}';
    expect(canonicalJson(inside)).toBe(text);
    expect(canonicalJson({ b: inside.b, a: inside.a })).toBe(text);
    expect(canonicalJson({ 9: 0, 10: 0 })).toBe('{"10":0,"9":0}');
    expect([undefined, null, [undefined], {}].map(canonicalJson)).toEqual(['null', 'null', '[null]', '{}']);
  });
});

describe('NDJSON', () => {
  it('brings values back from any cut', async () => {
    async function* chunks(): AsyncGenerator<string> {
      for (const char of `${encodeNdjson({ a: 'x\ny' })}\n${encodeNdjson(2).trimEnd()}`) yield char;
    }
    const values: unknown[] = [];
    for await (const value of decodeNdjson(chunks())) values.push(value);
    expect(values).toEqual([{ a: 'x\ny' }, 2]);
  });
});

describe('Hub', () => {
  it('reaches the subscribers of a topic until they leave', () => {
    const hub = new Hub<number>();
    const seen: number[] = [];
    const leave = hub.subscribe('a', (value) => seen.push(value));
    hub.publish('a', 1);
    hub.publish('b', 2);
    leave();
    hub.publish('a', 3);
    expect(seen).toEqual([1]);
    expect(hub.count('a')).toBe(0);
  });
});

describe('clock', () => {
  it('wakes a sleeper when the signal is aborted', async () => {
    const controller = new AbortController();
    const sleeping = systemClock.sleep(60_000, controller.signal);
    controller.abort(new Error('enough'));
    await expect(sleeping).rejects.toThrow('enough');
    await expect(systemClock.sleep(1, controller.signal)).rejects.toThrow('enough');
  });
});
