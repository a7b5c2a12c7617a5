import path from 'node:path';
import { CloutError } from '@cloutagent/contract';
import { noteBasesLocked } from './base/see.ts';
import { loadChange } from './change.ts';
import { replaceFile } from './disk/durable.ts';
import { mutate } from './journal.ts';
import { assertFree } from './lease.ts';
import { workDir, type Project } from './project.ts';
import { parseTasks, tickLine } from './tasks.ts';
import { meetSpecs } from './met.ts';

/**
 * Ticks one task of `tasks.md`; every other byte of the file stays. A task that is done already stays done.
 * @throws CHANGE_NOT_FOUND, CHANGE_ALREADY_ARCHIVED, CHANGE_LOCKED, NOT_FOUND for an unknown task
 */
export const tickTask = async (project: Project, slug: string, taskId: string): Promise<void> =>
  mutate(project, async () => {
    const files = await loadChange(project, slug);
    assertFree(project, slug, files.meta);
    await noteBasesLocked(project, files, await meetSpecs(project, files));
    const text = files.tasks ?? '';
    const task = parseTasks(text).find(({ id }) => id === taskId);
    if (task === undefined) {
      throw new CloutError('NOT_FOUND', `Change '${slug}' has no task ${taskId}`, {
        hint: 'clout change show SLUG lists the tasks and their ids',
        details: { slug, taskId },
      });
    }
    if (task.done) return;
    // Lines at even places, the breaks between them at odd ones.
    const parts = text.split(/(\r\n|\r|\n)/u);
    const at = (task.line - 1) * 2;
    parts[at] = tickLine(parts[at] ?? '');
    const file = path.join(files.folder, 'tasks.md');
    await replaceFile(project.disk, workDir(project, 'staging'), file, parts.join(''));
  });
