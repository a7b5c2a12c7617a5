import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isTheirs } from '../fixtures/golden.ts';
import { scratch, type Scratch } from '../fixtures/scratch.ts';
import { self } from '../fixtures/self.ts';
import { readChange } from './detail.ts';
import { listChanges } from './list.ts';
import type { Project } from './project.ts';
import { validateChange } from './validate.ts';

let folder: Scratch;
let project: Project;
beforeAll(async () => {
  folder = await scratch(self.files);
  project = await folder.open();
});
afterAll(async () => folder[Symbol.asyncDispose]());

describe('a copy of the changes of OpenSpec itself', () => {
  it('[T9.page] names every active change with its task counts', async () => {
    const { items, total, nextPageToken } = await listChanges(project, { limit: 200 });
    expect(Object.fromEntries(items.map(({ slug, tasks }) => [slug, tasks]))).toEqual(self.list);
    expect([total, nextPageToken]).toEqual([Object.keys(self.list).length, null]);
  });

  it.each(Object.keys(self.validate))('%s is judged as OpenSpec judges it', async (slug) => {
    const loose = await validateChange(project, slug);
    const strict = await validateChange(project, slug, { strict: true });
    expect(loose.issues.filter(isTheirs).map(({ code: _code, ...issue }) => issue)).toEqual(
      self.validate[slug]?.issues,
    );
    expect([loose.valid, strict.valid]).toEqual([self.validate[slug]?.valid, self.strict[slug]]);
  });

  it('counts a task once, and gives each an id of its own', async () => {
    for (const [slug, tasks] of Object.entries(self.list)) {
      const { taskList } = await readChange(project, slug);
      expect(taskList).toHaveLength(tasks.total);
      expect(taskList.filter(({ done }) => done)).toHaveLength(tasks.done);
      expect(new Set(taskList.map(({ id }) => id)).size).toBe(tasks.total);
    }
  });
});
