import path from 'node:path';
import { ChangeOpenInput, CloutError, SLUG_HINT, Template, type Validation } from '@cloutagent/contract';
import type { Context, Register } from '../context.ts';
import { given, oneOf, wholeNumber } from '../option.ts';
import { openFiles } from '../open-files.ts';
import { plain } from '../output.ts';
import { showConflicts } from '../show/conflict.ts';
import { showArchive, showChange, showChanges, showValidation } from '../show/change.ts';
import { requireProject, withServer } from '../with-server.ts';
import { registerTogether } from './change-together.ts';

/** Largest page of a listing. */
const PAGE = 200;

/** For commands that only look: without an openspec folder there is nothing to look at. */
const lookAtFiles = async (context: Context) => {
  const files = await openFiles(context);
  await requireProject(path.dirname(files.project.openspecDir));
  return files;
};

export const registerChange: Register = (program, context) => {
  const change = program.command('change').description('open, look at, validate and archive changes');
  registerOpen(change, context);
  registerList(change, context);
  change
    .command('show <slug>')
    .description('one change with its tasks and deltas')
    .action(
      context.action(async (slug: string) => {
        const { openspec, project } = await lookAtFiles(context);
        const detail = await openspec.readChange(project, slug);
        context.output.result(detail, () => showChange(detail, context.output.style));
        return 0;
      }),
    );
  registerValidate(change, context);
  registerTogether(change, context);
  change
    .command('archive <slug>')
    .description('validate, merge the deltas, move the change to the archive, write the receipt')
    .option('--allow-incomplete', 'although tasks are open')
    .option('--union', 'where others only added scenarios meanwhile, keep those of both sides')
    .action(
      context.action(async (slug: string, options: { allowIncomplete?: true; union?: true }) =>
        withServer(context, async (session) => {
          const body = { allowIncomplete: options.allowIncomplete === true, union: options.union === true };
          const result = await session.call('changeArchive', { params: { slug }, body }).catch((error: unknown) => {
            const texts = context.output.json ? '' : showConflicts(error, context.output.style);
            if (texts !== '') context.output.note(texts);
            throw error;
          });
          context.output.result(result, () => showArchive(result, context.output.style));
          return 0;
        }),
      ),
    );
};

interface OpenOptions {
  readonly title: string;
  readonly template?: string;
  readonly rationale?: string;
  readonly owner?: string;
  readonly ttl?: number;
}

const registerOpen: Register = (change, context) => {
  change
    .command('open <slug>')
    .description('make a change from a template')
    .requiredOption('--title <text>', 'what the change is for')
    .option('--template <name>', `one of ${Template.options.join(', ')}`)
    .option('--rationale <text>', 'why it is needed')
    .option('--owner <name>', 'who holds the change')
    .option('--ttl <seconds>', 'how long the owner holds it', wholeNumber(60, 86_400))
    .action(
      context.action(async (slug: string, options: OpenOptions) => {
        const input = ChangeOpenInput.safeParse({ ...options, slug });
        if (!input.success) {
          const [issue] = input.error.issues;
          const field = issue?.path.join('.') ?? 'input';
          throw new CloutError('INVALID_INPUT', `${field}: ${issue?.message ?? 'not valid'}`, {
            ...(field === 'slug' ? { hint: SLUG_HINT } : {}),
            details: { field },
          });
        }
        const { openspec, project } = await openFiles(context);
        const opened = await openspec.openChange(project, input.data);
        context.output.result(opened, () =>
          [
            `${opened.resumed ? 'Renewed' : 'Opened'} ${plain(opened.change.slug)}`,
            ...opened.files.map((file) => `  ${plain(`${opened.change.paths.root}/${file}`)}`),
            `Edit them, then: clout plan ${plain(opened.change.slug)}`,
          ].join('\n'),
        );
        return 0;
      }),
    );
};

interface ListOptions {
  readonly all?: true;
  readonly owner?: string;
  readonly template?: Template;
  readonly limit: number;
  readonly pageToken?: string;
}

const registerList: Register = (change, context) => {
  change
    .command('list')
    .description('changes with their task counts, newest first')
    .option('--all', 'archived ones too')
    .option('--owner <name>', 'held by this owner')
    .option('--template <name>', 'made from this template', oneOf(...Template.options))
    .option('--limit <n>', 'at most so many', wholeNumber(1, PAGE), 50)
    .option('--page-token <token>', 'go on after a page')
    .action(
      context.action(async ({ all, ...filter }: ListOptions) => {
        const { openspec, project } = await lookAtFiles(context);
        const page = await openspec.listChanges(project, { ...given(filter), status: all === true ? 'all' : 'draft' });
        context.output.result(page, () => showChanges(page, context.output.style));
        return 0;
      }),
    );
};

const registerValidate: Register = (change, context) => {
  change
    .command('validate [slug]')
    .description("OpenSpec's verdict on a change; exit code 2 where it is not valid")
    .option('--all', 'every active change')
    .option('--strict', 'warnings count as errors')
    .action(
      context.action(async (slug: string | undefined, options: { all?: true; strict?: true }) => {
        const strict = options.strict === true;
        const { openspec, project } = await lookAtFiles(context);
        const { output } = context;
        if (slug !== undefined && options.all !== true) {
          const validation = await openspec.validateChange(project, slug, { strict });
          output.result(validation, () => showValidation(validation, output.style));
          return validation.valid ? 0 : 2;
        }
        if (slug !== undefined || options.all !== true)
          throw new CloutError('INVALID_INPUT', 'Name one change, or give --all', {
            hint: 'clout change list names the changes that exist',
          });
        const items: Validation[] = [];
        for (const name of (await openspec.activeNames(project)).sort())
          items.push(await openspec.validateChange(project, name, { strict }));
        const valid = items.every((item) => item.valid);
        output.result(
          { valid, items },
          () => items.map((item) => showValidation(item, output.style)).join('\n') || 'No changes.',
        );
        return valid ? 0 : 2;
      }),
    );
};
