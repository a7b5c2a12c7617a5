import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findCycle, leadingTo, reachableFrom, topologicalOrder, type Arrow } from './graph.ts';

const arrows = (...pairs: readonly string[]): readonly Arrow[] =>
  pairs.map((pair) => ({ source: pair.charAt(0), target: pair.charAt(1) }));

const graph = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc.record({
    ids: fc.constant(Array.from({ length: size }, (_, n) => `n${n}`)),
    edges: fc.array(
      fc.record({ source: fc.nat(size - 1).map((n) => `n${n}`), target: fc.nat(size - 1).map((n) => `n${n}`) }),
      { maxLength: 30 },
    ),
  }),
);

describe('a graph', () => {
  it('is put in an order in which every arrow leads forwards', () => {
    expect(topologicalOrder(['d', 'c', 'b', 'a'], arrows('ab', 'ac', 'bd', 'cd'))).toEqual(['a', 'b', 'c', 'd']);
    expect(topologicalOrder(['a', 'b'], arrows('ab', 'ba'))).toBeUndefined();
    expect(topologicalOrder(['a'], arrows('aa'))).toBeUndefined();
    expect(topologicalOrder([], [])).toEqual([]);
  });

  it('shows one of its circles', () => {
    expect(findCycle(['a', 'b', 'c'], arrows('ab', 'bc', 'cb'))).toEqual(['b', 'c', 'b']);
    expect(findCycle(['a', 'b', 'c'], arrows('ab', 'ac', 'bc'))).toBeUndefined();
  });

  it('knows what is behind a node and what is before it', () => {
    const diamond = arrows('ab', 'ac', 'bd');
    expect([...reachableFrom(['b'], diamond)]).toEqual(['b', 'd']);
    expect([...leadingTo('d', diamond)]).toEqual(['b', 'a']);
  });

  it('[D13] has an order or a circle, never both and never neither', () => {
    fc.assert(
      fc.property(graph, ({ ids, edges }) => {
        const order = topologicalOrder(ids, edges);
        const cycle = findCycle(ids, edges);
        expect(order === undefined).toBe(cycle !== undefined);
        const place = new Map(order?.map((id, index) => [id, index]));
        const backwards = ({ source, target }: Arrow): boolean => (place.get(source) ?? 0) >= (place.get(target) ?? 0);
        expect(order === undefined ? [] : edges.filter(backwards)).toEqual([]);
        for (const [index, id] of (cycle ?? []).slice(1).entries()) {
          expect(edges).toContainEqual({ source: cycle?.[index], target: id });
        }
      }),
      { numRuns: 5_000 },
    );
  });

  it('[D13] of 100,000 nodes in a row takes no stack', () => {
    const ids = Array.from({ length: 100_000 }, (_, n) => String(n));
    const chain = ids.slice(1).map((id, n) => ({ source: String(n), target: id }));
    expect(topologicalOrder(ids, chain)).toHaveLength(100_000);
    expect(findCycle(ids, chain)).toBeUndefined();
    expect(findCycle(ids, [...chain, { source: '99999', target: '0' }])).toHaveLength(100_001);
  });
});
