import type { ErrorBody } from '@cloutagent/contract';
import type { AuditEvent } from '@cloutagent/http';
import { describe, expect, it } from 'vitest';
import { serveProject, type Served } from './harness.ts';
import { toolDescriptions } from './mcp/schema.ts';

const call = async (served: Served, tool: string, input: unknown): Promise<{ status: number; text: string }> => {
  const response = await served.post('/mcp', { tool, input });
  return { status: response.status, text: await response.text() };
};
const total = async (served: Served, status: string): Promise<number> =>
  Number(/"total":(\d+)/u.exec((await call(served, 'changes.active', { status })).text)?.[1]);

const open = (input: object) => ({ title: 'T', slug: 'a-change', ...input });

/** What breaks the schema of the seed, each with the code that it gets. */
const BROKEN: Readonly<Record<string, readonly [input: unknown, code: ErrorBody['code']]>> = {
  'no input': [undefined, 'INVALID_INPUT'],
  'a text': ['a-change', 'INVALID_INPUT'],
  'no slug': [{ title: 'T' }, 'INVALID_INPUT'],
  'no title': [{ slug: 'a-change' }, 'INVALID_INPUT'],
  'an empty title': [open({ title: '' }), 'INVALID_INPUT'],
  'a title of 1 MB of blanks': [open({ title: ' '.repeat(1000) }), 'INVALID_INPUT'],
  'a title that is no text': [open({ title: 7 }), 'INVALID_INPUT'],
  'a slug with a blank': [open({ slug: 'a change' }), 'INVALID_INPUT'],
  'a slug of two letters': [open({ slug: 'ab' }), 'INVALID_INPUT'],
  'a slug of 65 letters': [open({ slug: 'a'.repeat(65) }), 'INVALID_INPUT'],
  'a rationale that is a list': [open({ rationale: ['x'] }), 'INVALID_INPUT'],
  'an owner that is a number': [open({ owner: 1 }), 'INVALID_INPUT'],
  'a ttl of a minute less a second': [open({ ttl: 59 }), 'INVALID_INPUT'],
  'a ttl of a day and a second': [open({ ttl: 86_401 }), 'INVALID_INPUT'],
  'a ttl and a half': [open({ ttl: 60.5 }), 'INVALID_INPUT'],
  'a ttl in words': [open({ ttl: '60' }), 'INVALID_INPUT'],
  'an unknown template': [open({ template: 'epic' }), 'TEMPLATE_NOT_FOUND'],
};

describe('[T6.schema] the input of change.open', () => {
  it.each(Object.entries(BROKEN))('%s is refused, and nothing is made', async (_, [input, code]) => {
    await using served = await serveProject();
    const { status, text } = await call(served, 'change.open', input);
    expect(text).toContain(`"code":"${code}"`);
    expect(status).toBe(code === 'TEMPLATE_NOT_FOUND' ? 404 : 400);
    expect(await total(served, 'all')).toBe(0);
  });

  it('every member at its bounds is taken', async () => {
    await using served = await serveProject();
    for (const [index, input] of [
      { ttl: 60 },
      { ttl: 86_400 },
      { owner: 'ada', rationale: 'Because.', template: 'bugfix' },
      { owner: null, rationale: null, template: null, ttl: null },
    ].entries()) {
      const { status } = await call(served, 'change.open', open({ slug: `a-change-${index}`, ...input }));
      expect(status, JSON.stringify(input)).toBe(200);
    }
  });
});

/** What the seed says of each member, and the bounds that we add: every text has one. */
const SEED = {
  title: { type: 'string', minLength: 1, description: 'Human-readable title of the change' },
  slug: {
    type: 'string',
    pattern: '^[a-z0-9](?:[a-z0-9\\-]{1,62})[a-z0-9]$',
    description: 'URL-friendly identifier (3-64 chars, alphanumeric + hyphens)',
  },
  rationale: { type: 'string', description: 'Reason for creating this change' },
  owner: { type: 'string', description: 'Owner or team responsible for the change' },
  ttl: { type: 'integer', minimum: 60, maximum: 86_400 },
  template: {
    type: 'string',
    enum: ['feature', 'bugfix', 'chore'],
    description: 'Change template type for structured initialization',
  },
};
const BOUNDS = {
  title: { maxLength: 200 },
  rationale: { maxLength: 20_000 },
  owner: { minLength: 1, maxLength: 200 },
};

it('[T6.schema] change.open is described as the seed describes it, member by member', () => {
  const schema: object | undefined = toolDescriptions().find(({ name }) => name === 'change.open')?.inputSchema;
  expect(schema).toMatchObject({ type: 'object', required: ['title', 'slug'], properties: SEED });
  const properties = (schema as { properties: Record<string, object> }).properties;
  expect(Object.keys(properties)).toEqual(Object.keys(SEED));
  for (const [name, said] of Object.entries(SEED)) {
    const { description: _, ...ours } = { description: '', ...properties[name] };
    const { description: _seed, ...theirs } = { description: '', ...said };
    expect(ours, name).toEqual({ ...theirs, ...(BOUNDS as Record<string, object>)[name] });
  }
  // A member that the seed does not name is passed over, as its schema does.
  expect(schema).not.toHaveProperty('additionalProperties', false);
});

describe('[T8.audit] an archive', () => {
  it('is told with who, when and from where, also one that is refused', async () => {
    const events: AuditEvent[] = [];
    const front = {
      tokens: { user: ['a-user-token'], admin: [] },
      audit: (event: AuditEvent) => void events.push(event),
    };
    await using served = await serveProject({ front });
    const headers = { authorization: 'Bearer a-user-token' };
    for (const [tool, input] of [
      ['change.open', open({})],
      ['change.archive', { slug: 'a-change' }],
      ['change.archive', { slug: 'a-change' }],
    ]) {
      await (await served.post('/mcp', { tool, input }, headers)).text();
    }
    const archives = events.filter(({ tool }) => tool === 'change.archive');
    expect(archives).toMatchObject([
      { address: '127.0.0.1', status: 200, result: 'ok' },
      { address: '127.0.0.1', status: 409, result: 'failed', code: 'CHANGE_ALREADY_ARCHIVED' },
    ]);
    for (const { who, at, requestId } of archives) {
      expect(who).toMatch(/^user-[0-9a-f]{8}$/u);
      expect(Date.parse(at)).toBeGreaterThan(0);
      expect(requestId).not.toBe('');
    }
    // The archive itself says so too, for who has only the folder.
    const uri = 'changes://archived/a-change';
    const read = await served.post('/sse', { uri, method: 'resource/read' }, headers);
    expect(await read.text()).toMatch(/\\"by\\": \\"user-[0-9a-f]{8}\\"/u);
  });
});

describe('[T8.listings] [T16.fresh] an archive', () => {
  it('is gone from the active changes and among all of them at the very next call', async () => {
    await using served = await serveProject();
    const totals = async (): Promise<number[]> => [await total(served, 'draft'), await total(served, 'all')];
    for (let count = 0; count < 5; count += 1) {
      const slug = `a-change-${count}`;
      await call(served, 'change.open', open({ slug }));
      expect(await totals()).toEqual([1, count + 1]);
      await call(served, 'change.archive', { slug });
      expect(await totals()).toEqual([0, count + 1]);
    }
  });
});
