import { describe, expect, test } from 'vitest';
import { emptyForm, readForm } from './elicitation.ts';

const schema = {
  type: 'object',
  properties: {
    branch: { type: 'string', title: 'Branch', minLength: 2, maxLength: 5 },
    count: { type: 'integer', minimum: 1, maximum: 3 },
    ratio: { type: 'number' },
    sure: { type: 'boolean', default: true },
    color: { type: 'string', enum: ['red', 'green'] },
    size: { type: 'string', oneOf: [{ const: 's', title: 'Small' }, { const: 'l' }] },
    tags: { type: 'array', items: { type: 'string', enum: ['a', 'b'] }, minItems: 1, maxItems: 2 },
    sets: { type: 'array', items: { anyOf: [{ const: 'x', title: 'X' }] } },
    odd: { type: 'object' },
  },
  required: ['branch', 'color', 'count', 'tags'],
};
const least = { branch: 'main', color: 'red', count: 1, tags: ['a'] };

describe('a form of a server', () => {
  test('begins with its defaults and room for what is required', () => {
    expect(emptyForm(schema)).toEqual({ branch: null, count: null, sure: true, color: null, tags: null });
    expect(readForm(schema, emptyForm(schema))).toEqual({ problem: 'branch is missing' });
    expect(emptyForm(undefined)).toEqual({});
  });

  test('is read from an object or its JSON', () => {
    const whole = { ...least, ratio: 0.5, sure: false, size: 'l', sets: ['x'], odd: 'any text' };
    expect(readForm(schema, whole)).toEqual({ content: whole });
    expect(readForm(schema, JSON.stringify({ ...least, ratio: null }))).toEqual({ content: least });
    expect(readForm({ type: 'object', properties: {} }, '{}')).toEqual({ content: {} });
  });

  test.each([
    ['main', 'it must be a JSON object with branch, count, ratio, sure, color, size, tags, sets, odd'],
    [[], 'it must be a JSON object with branch, count, ratio, sure, color, size, tags, sets, odd'],
    [{ color: 'red' }, 'branch is missing'],
    [{ ...least, constructor: 'x' }, 'it has no field constructor'],
    [{ ...least, branch: 1 }, 'branch must be a text'],
    [{ ...least, branch: 'm' }, 'branch must have 2 characters or more'],
    [{ ...least, branch: 'master' }, 'branch must have 5 characters or fewer'],
    [{ ...least, count: 1.5 }, 'count must be a whole number'],
    [{ ...least, count: 0 }, 'count must be 1 or more'],
    [{ ...least, count: 4 }, 'count must be 3 or less'],
    [{ ...least, ratio: 'half' }, 'ratio must be a number'],
    [{ ...least, sure: 'yes' }, 'sure must be true or false'],
    [{ ...least, color: 'blue' }, 'color must be one of red, green'],
    [{ ...least, size: 'm' }, 'size must be one of s, l'],
    [{ ...least, tags: 'a' }, 'tags must be a list of texts'],
    [{ ...least, tags: ['c'] }, 'tags must have only a, b'],
    [{ ...least, tags: [] }, 'tags has too few or too many items'],
    [{ ...least, sets: ['y'] }, 'sets must have only x'],
  ])('refuses %j: %s', (filled, problem) => {
    expect(readForm(schema, filled)).toEqual({ problem });
  });
});
