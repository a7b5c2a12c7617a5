import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { CloutError, type Task } from '@cloutagent/contract';
import { noteBasesLocked } from './base/see.ts';
import { loadChange } from './change.ts';
import { replaceFile } from './disk/durable.ts';
import { mutate } from './held.ts';
import { assertFree } from './lease.ts';
import { workDir, type Project } from './project.ts';
import { parseTasks, tickLine } from './tasks.ts';
import { meetSpecs } from './met.ts';

/** A task as somebody read it; `unreadableChecks` none where absent. */
export type TaskRef = Pick<Task, 'id' | 'title' | 'checks'> & Partial<Pick<Task, 'unreadableChecks'>>;

/**
 * The task that was read before, as it stands now; undefined where it is gone, was edited, or cannot be told from another.
 * A number names a task; an ordinal only says where it stood, so such a task is known by what it says.
 */
export const findTask = (tasks: readonly Task[], wanted: TaskRef): Task | undefined => {
  const same = ({ title, checks, unreadableChecks }: Task): boolean =>
    title === wanted.title &&
    isDeepStrictEqual(checks, wanted.checks) &&
    isDeepStrictEqual(unreadableChecks, wanted.unreadableChecks ?? []);
  const numbered = !wanted.id.startsWith('#');
  const found = tasks.filter((task) => (numbered ? task.id === wanted.id : task.id.startsWith('#')) && same(task));
  return found.length === 1 ? found[0] : undefined;
};

/** A task that is not what it was. */
export const editedTask = (slug: string, taskId: string): CloutError =>
  new CloutError(
    'CHANGE_CONFLICT',
    `Task ${taskId} was edited since this run began; start a new run: clout run ${slug}`,
    {
      hint: `Look at openspec/changes/${slug}/tasks.md, then: clout run ${slug}`,
      details: { slug, taskId },
    },
  );

/**
 * Ticks one task of `tasks.md`; every other byte of the file stays. A task that is done already stays done.
 * An id alone names the task that has it now; a task that was read before must still be the one it was.
 * @throws CHANGE_NOT_FOUND, CHANGE_ALREADY_ARCHIVED, CHANGE_LOCKED, NOT_FOUND for an unknown id, CHANGE_CONFLICT for a
 *   task that was edited
 */
export const tickTask = async (given: Project, slug: string, wanted: string | TaskRef): Promise<void> =>
  mutate(given, async (project) => {
    const files = await loadChange(project, slug);
    assertFree(project, slug, files.meta);
    await noteBasesLocked(project, files, await meetSpecs(project, files));
    const text = files.tasks ?? '';
    const tasks = parseTasks(text);
    const taskId = typeof wanted === 'string' ? wanted : wanted.id;
    const task = typeof wanted === 'string' ? tasks.find(({ id }) => id === wanted) : findTask(tasks, wanted);
    if (task === undefined) {
      if (typeof wanted !== 'string') throw editedTask(slug, taskId);
      throw new CloutError('NOT_FOUND', `Change '${slug}' has no task ${taskId}`, {
        hint: `clout change show ${slug} lists the tasks and their ids`,
        details: { slug, taskId },
      });
    }
    if (task.done) return;
    // Lines at even places, the breaks between them at odd ones.
    const parts = text.split(/(\r\n|\r|\n)/u);
    const at = (task.line - 1) * 2;
    parts[at] = tickLine(parts[at] ?? '');
    const file = path.join(files.folder, 'tasks.md');
    await replaceFile(project.writes, workDir(project, 'staging'), file, parts.join(''));
  });
