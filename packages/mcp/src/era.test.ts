import { systemClock } from '@cloutagent/kit';
import { expect, test } from 'vitest';
import { createEraCache } from './era.ts';

test('[E5.http] what a server speaks is known for a quarter of an hour, of five hundred servers', () => {
  let time = 0;
  const cache = createEraCache({ ...systemClock, monotonic: () => time });
  cache.set('a', { kind: 'legacy' });
  time += 15 * 60_000 - 1;
  expect(cache.get('a')).toEqual({ kind: 'legacy' });
  time += 1;
  expect(cache.get('a')).toBeUndefined();
  for (let n = 0; n <= 500; n += 1) cache.set(`s${n}`, { kind: 'legacy' });
  expect(cache.get('s0')).toBeUndefined();
  expect(cache.get('s1')).toBeDefined();
  cache.forget('s1');
  expect(cache.get('s1')).toBeUndefined();
});
