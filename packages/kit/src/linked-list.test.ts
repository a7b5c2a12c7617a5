import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LinkedList } from './linked-list.ts';

describe('a linked list', () => {
  it('holds what a Set of the same values would, in the same order, whoever leaves', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constant('add'), fc.constant('shift'), fc.nat(30))), (steps) => {
        const list = new LinkedList<number>();
        const model = new Set<number>();
        const leaves: (() => boolean)[] = [];
        const shifted: [number | undefined, number | undefined][] = [];
        const left: [boolean, boolean][] = [];
        for (const step of steps) {
          if (step === 'add') {
            const value = leaves.length;
            model.add(value);
            leaves.push(list.add(value));
          } else if (step === 'shift') {
            const [first] = model;
            shifted.push([list.shift(), first]);
            if (first !== undefined) model.delete(first);
          } else {
            // Who left already, by itself or by `shift`, does not leave again.
            const value = typeof step === 'number' ? step : 0;
            left.push([leaves[value]?.() ?? false, model.delete(value)]);
          }
          expect([list.size, list.first, list.values()]).toEqual([model.size, [...model][0], [...model]]);
        }
        for (const [own, expected] of [...shifted, ...left]) expect(own).toBe(expected);
      }),
    );
  });
});
