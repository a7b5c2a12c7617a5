import { expect, it } from 'vitest';
import { parseSpec, specProblems } from './spec.ts';

const spec = (...body: readonly string[]): string =>
  ['# cap', '', '## Purpose', '', 'Why.', '', '## Requirements', '', '### Requirement: A', ...body, ''].join('\n');
const SCENARIO = ['#### Scenario: s', '- **WHEN** it is asked', '- **THEN** it answers'];

it.each([
  [['The system SHALL do it.'], true],
  [['', '  It MUST do it.'], true],
  [['> The system SHALL do it.'], true],
  [[''], false],
  [[], false],
  [['```', 'SHALL', '```'], false],
  [['~~~', 'SHALL', '~~~'], false],
])('a requirement whose body begins with %j is stated: %s', (body, isStated) => {
  const missing = specProblems(spec(...body, '', ...SCENARIO)).filter((problem) => problem.includes('must contain'));
  expect(missing).toEqual(isStated ? [] : ['Requirement "A" must contain SHALL or MUST']);
});

it.each(['```', '~~~~'])('what looks like a heading inside of %s is none', (fence) => {
  const text = spec('It SHALL do it.', '', ...SCENARIO, fence, '### Requirement: B', fence);
  expect(parseSpec(text).requirements.map(({ name }) => name)).toEqual(['A']);
});
