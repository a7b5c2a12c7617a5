import { expect, it } from 'vitest';
import { nodeLimits } from './levels.ts';

it('[X3.ceiling] gives what a run has more than was quoted to its nodes alike, and takes nothing where it has less', () => {
  const quoted = new Map([
    ['a', 10],
    ['b', 30],
  ]);
  expect([...nodeLimits(quoted, 40, 100)]).toEqual([
    ['a', 25],
    ['b', 75],
  ]);
  expect(nodeLimits(quoted, 40, 20)).toEqual(quoted);
  expect([...nodeLimits(new Map([['a', 0]]), 0, 5)]).toEqual([['a', 0]]);
});
