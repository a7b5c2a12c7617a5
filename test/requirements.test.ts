import { describe, expect, it } from 'vitest';
import { REQUIREMENTS } from './requirements.ts';
import { citationsIn } from './support/citations.ts';
import { projectFiles, readProjectFile, testFiles } from './support/files.ts';

const citations = projectFiles()
  .filter((file) => testFiles().includes(file) || /\.test\.(?:py|mjs)$|_test\.py$/u.test(file))
  .flatMap((file) => citationsIn(readProjectFile(file)).map((id) => ({ file, id })));
const cited = new Set(citations.map(({ id }) => id));

describe('the manifest of requirements', () => {
  it('has well-formed ids and one sentence each', () => {
    const odd = Object.entries(REQUIREMENTS).filter(
      ([id, { text }]) =>
        !/^(?:T|C|P|E|X)\d{1,2}\.[a-z0-9]+(?:-[a-z0-9]+)*$/u.test(id) || !text.endsWith('.') || text.length > 160,
    );
    expect(odd).toEqual([]);
  });

  it('has every promise', () => {
    const promises = { T: 25, C: 11, P: 10, E: 17, X: 9 };
    const missing = Object.entries(promises).flatMap(([letter, count]) =>
      Array.from({ length: count }, (_, index) => `${letter}${index + 1}.`).filter(
        (prefix) => !Object.keys(REQUIREMENTS).some((id) => id.startsWith(prefix)),
      ),
    );
    expect(missing).toEqual([]);
  });

  it('knows every clause that a test cites', () => {
    expect(citations.filter(({ id }) => !Object.hasOwn(REQUIREMENTS, id))).toEqual([]);
  });

  it('has a test for every closed clause', () => {
    const unproved = Object.entries(REQUIREMENTS).filter(([id, { status }]) => status === 'closed' && !cited.has(id));
    expect(unproved.map(([id]) => id)).toEqual([]);
  });
});
