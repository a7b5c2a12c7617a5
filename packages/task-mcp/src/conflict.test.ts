import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { serveProject } from './harness.ts';

const login = (...scenarios: readonly string[]): string =>
  `### Requirement: Login\nThe system SHALL let users in.\n${['Right password', ...scenarios]
    .map((title) => `\n#### Scenario: ${title}\n- **WHEN** it is so\n- **THEN** they are in\n`)
    .join('')}`;
const ABOVE =
  '# auth Specification\n\n## Purpose\nWho may come in, and how they prove who they are to the system.\n\n## Requirements\n\n';

it('[X4.stale] [X4.union] [X4.overlaps] an agent is shown an overlap, the texts of both sides, and may keep both', async () => {
  await using served = await serveProject();
  const write = async (file: string, text: string): Promise<void> => {
    await mkdir(dirname(join(served.root, file)), { recursive: true });
    await writeFile(join(served.root, file), text);
  };
  await write('openspec/specs/auth/spec.md', `${ABOVE}${login()}`);
  for (const slug of ['by-key', 'by-card']) {
    await write(`openspec/changes/${slug}/specs/auth/spec.md`, `## MODIFIED Requirements\n\n${login(slug)}`);
  }
  const call = async (tool: string, input: object): Promise<{ status: number; body: unknown }> => {
    const response = await served.post('/sse', { tool, input }, { accept: 'application/json' });
    const text = await response.text();
    return { status: response.status, body: JSON.parse(/^data: (.*)$/mu.exec(text)?.[1] ?? text) as unknown };
  };
  const listed = await call('changes.active', {});
  expect(listed.body).toMatchObject({
    result: {
      structuredContent: {
        items: expect.arrayContaining([
          expect.objectContaining({ slug: 'by-key', overlapsWith: ['by-card'] }),
        ]) as unknown,
      },
    },
  });
  expect((await call('change.archive', { slug: 'by-key' })).status).toBe(200);
  expect(await call('change.archive', { slug: 'by-card', union: null })).toMatchObject({
    status: 409,
    body: {
      error: {
        code: 'CHANGE_CONFLICT',
        details: {
          current: login('by-key').trim(),
          yours: login('by-card').trim(),
          union: login('by-key', 'by-card').trim(),
        },
      },
    },
  });
  expect((await call('change.archive', { slug: 'by-card', union: true })).status).toBe(200);
  expect(await readFile(join(served.root, 'openspec/specs/auth/spec.md'), 'utf8')).toBe(
    `${ABOVE}${login('by-key', 'by-card')}`,
  );
});
