import { describe, expect, it } from 'vitest';
import { golden, isTheirs } from '../fixtures/golden.ts';
import { scratch } from '../fixtures/scratch.ts';
import { validateChange } from './validate.ts';

describe('validation as OpenSpec 1.13.2', () => {
  it.each([...golden])('%s: verdicts and messages', async (_, { input, slug, validate, validateStrict }) => {
    await using folder = await scratch(input);
    const project = await folder.open();
    const loose = await validateChange(project, slug);
    const strict = await validateChange(project, slug, { strict: true });
    expect(loose.issues.filter(isTheirs).map(({ code: _code, ...issue }) => issue)).toEqual(validate.issues);
    expect([loose.valid, strict.valid]).toEqual([validate.valid, validateStrict.valid]);
  });
});
