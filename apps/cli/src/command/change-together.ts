import type { Register } from '../context.ts';
import { openFiles } from '../open-files.ts';
import { showOverlaps, showRebased, showUnarchived } from '../show/overlap.ts';

/** What changes do to the same specifications, one beside or after the other. */
export const registerTogether: Register = (change, context) => {
  change
    .command('overlaps [slug]')
    .description('requirements that several open changes name')
    .action(
      context.action(async (slug: string | undefined) => {
        const { openspec, project } = await openFiles(context);
        const overlaps = await openspec.overlapsOf(project, slug);
        context.output.result({ overlaps }, () => showOverlaps(overlaps, context.output.style));
        return 0;
      }),
    );
  change
    .command('rebase <slug>')
    .description('take the specification as it is now for what the change starts from')
    .action(
      context.action(async (slug: string) => {
        const { openspec, project } = await openFiles(context);
        const result = await openspec.rebaseChange(project, slug);
        context.output.result(result, () => showRebased(result));
        return 0;
      }),
    );
  change
    .command('unarchive <slug>')
    .description('take the last archive of a change back, where the specifications are still as it left them')
    .action(
      context.action(async (slug: string) => {
        const { openspec, project } = await openFiles(context);
        const result = await openspec.unarchiveChange(project, { slug });
        context.output.result(result, () => showUnarchived(result, context.output.style));
        return 0;
      }),
    );
};
