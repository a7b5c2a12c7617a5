import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { leftovers } from '../fixtures/before.ts';
import { scratch } from '../fixtures/scratch.ts';
import { added, changeOf, modified, removed, renamed, requirement, specOf } from '../fixtures/texts.ts';
import { startWorkers } from '../fixtures/worker.ts';

const PROCESSES = 6;
const ROUNDS = 20;
/** Changes of a process in a round, and as many that everybody tries to archive: 500 and 500 in all rounds. */
const STEPS = 25;

interface Step {
  readonly slug: string;
  readonly delta?: string;
  readonly isCount?: boolean;
  /** What it does to the model, a requirement's text by its name. */
  readonly apply: (model: Map<string, string>, told: Told) => void;
}

/** What `contending.mjs` says of a step. */
interface Told {
  readonly end: string;
  readonly number?: number;
  readonly tries?: number;
}

/** With a name, for the same text from two of them is nobody's loss. */
const counted = (number: number | '@', by: number): string => requirement('Number', `at ${number}, says ${by}`);

/** The `nth` change of a process: it adds, edits, counts, renames and takes away, each in its turn. */
const ownStep = (owner: number, nth: number): Step => {
  const slug = `of-${owner}-no-${nth}`;
  const name = (what: string, of: number): string => `${what} ${of} of ${owner}`;
  const edited = requirement(`Edited by ${owner}`, `in version ${nth}`);
  switch (nth % 5) {
    case 0: {
      const rule = requirement(name('Rule', nth));
      return { slug, delta: added(rule), apply: (model) => model.set(name('Rule', nth), rule) };
    }
    case 1:
      return { slug, delta: modified(edited), apply: (model) => model.set(`Edited by ${owner}`, edited) };
    case 2:
      return {
        slug,
        delta: modified(counted('@', owner)),
        isCount: true,
        apply: (model, { number = 0 }) => {
          const before = Number(/at (\d+),/u.exec(model.get('Number') ?? '')?.[1] ?? 0);
          if (number > before) model.set('Number', counted(number, owner));
        },
      };
    case 3: {
      const [from, to] = [name('Rule', nth - 3), name('Named', nth)];
      return {
        slug,
        delta: renamed(from, to),
        apply: (model) => {
          const text = model.get(from) ?? '';
          model.delete(from);
          model.set(to, text.replace(`### Requirement: ${from}`, `### Requirement: ${to}`));
        },
      };
    }
    default:
      // Half of what was renamed goes; the others stay to the end.
      return nth % 10 === 4
        ? { slug, delta: removed(name('Named', nth - 1)), apply: (model) => model.delete(name('Named', nth - 1)) }
        : ownStep(owner, nth + 500 * 5 + 1);
  }
};

const sharedStep = (nth: number): Step => {
  const rule = requirement(`Shared ${nth}`);
  return { slug: `shared-${nth}`, apply: (model) => model.set(`Shared ${nth}`, rule) };
};

const blocksIn = (spec: string): [string, string][] =>
  spec
    .split(/^(?=### Requirement: )/mu)
    .slice(1)
    .map((block) => [/^### Requirement: (.*)$/mu.exec(block)?.[1] ?? '', block.trim()]);

describe('many processes that archive into one specification', { timeout: 3_600_000 }, () => {
  it(`[F2] [T8.atomic] ${PROCESSES} processes × ${ROUNDS * STEPS} archives of their own and as many of everybody's: the specification is that of a model`, async () => {
    const model = new Map([
      ['Number', counted(0, 0)],
      ...Array.from({ length: PROCESSES }, (_, owner): [string, string] => [
        `Edited by ${owner}`,
        requirement(`Edited by ${owner}`),
      ]),
    ]);
    await using folder = await scratch({ 'openspec/specs/cap/spec.md': specOf(...model.values()) });
    await using group = await startWorkers(PROCESSES);
    const numbers: number[] = [];
    let refused = 0;
    let again = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const places = Array.from({ length: STEPS }, (_, index) => round * STEPS + index);
      for (const nth of places)
        await folder.write(changeOf(`shared-${nth}`, { cap: added(requirement(`Shared ${nth}`)) }));
      const shared = new Map<string, number>();
      await Promise.all(
        group.all.map(async (worker, owner) => {
          const steps = places.flatMap((nth) => [sharedStep(nth), ownStep(owner, nth)]);
          const asked = steps.map(({ apply: _, ...step }) => step);
          // Written by contending.mjs, one for each step.
          const told = (await worker.ask('contend', folder.root, asked)) as readonly Told[];
          expect(told).toHaveLength(steps.length);
          for (const [index, step] of steps.entries()) {
            const answer = told[index] ?? { end: 'none' };
            const isShared = step.slug.startsWith('shared-');
            if (isShared && answer.end === 'CHANGE_ALREADY_ARCHIVED') {
              refused += 1;
              continue;
            }
            expect(answer.end, step.slug).toBe('ok');
            step.apply(model, answer);
            if (isShared) shared.set(step.slug, (shared.get(step.slug) ?? 0) + 1);
            if (answer.number !== undefined) numbers.push(answer.number);
            again += (answer.tries ?? 1) - 1;
          }
        }),
      );
      expect(shared).toEqual(new Map(places.map((nth) => [`shared-${nth}`, 1])));
      expect(new Map(blocksIn(await folder.read('openspec/specs/cap/spec.md')))).toEqual(
        new Map([...model].map(([name, text]) => [name, text.trim()])),
      );
    }
    // Nobody's one more was overwritten by another's.
    expect(numbers.sort((one, other) => one - other)).toEqual(numbers.map((_, index) => index + 1));
    expect(numbers.length).toBeGreaterThan(PROCESSES * 50);
    expect(refused).toBe((PROCESSES - 1) * ROUNDS * STEPS);
    expect(again).toBeGreaterThan(10);
    const names = blocksIn(await folder.read('openspec/specs/cap/spec.md')).map(([name]) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(await readdir(path.join(folder.root, 'openspec/changes'))).toEqual(['archive']);
    const archived = await readdir(path.join(folder.root, 'openspec/changes/archive'));
    expect(archived).toHaveLength((PROCESSES + 1) * ROUNDS * STEPS);
    expect(await leftovers(folder)).toEqual([]);
  });
});
