import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CloutError, type WorkflowFinding } from '@cloutagent/contract';
import type { Command } from 'commander';
import type { Context, Register } from '../context.ts';
import { given, oneOf, wholeNumber } from '../option.ts';
import { showDiff, showFindings, showVersion, showVersions } from '../show/workflow.ts';
import { readWorkflowFile } from '../workflow-file.ts';
import { withServer } from '../with-server.ts';

const FILE = '<file>';
const FILE_HELP = 'workflow in YAML or JSON';
const NAME_HELP = 'name of a stored workflow; clout workflow list has them';
const number = wholeNumber(1, 1_000_000);

export const registerWorkflow: Register = (program, context) => {
  const workflow = program
    .command('workflow')
    .description('check workflows; store, compare, roll back and export their versions');
  registerFiles(workflow, context);
  registerVersions(workflow, context);
};

const registerFiles = (workflow: Command, context: Context): void => {
  const { output } = context;
  const read = (file: string) => readWorkflowFile(context.cwd() ?? context.io.cwd, file);
  workflow
    .command('validate')
    .argument(FILE, FILE_HELP)
    .description('whether a workflow can be run here: findings with node and line; exit code 2 where one is an error')
    .action(
      context.action(async (file: string) => {
        const { workflow: document, lineOf } = await read(file);
        return withServer(context, async (session) => {
          const verdict = await session.call('workflowValidate', { body: { workflow: document, workflows: {} } });
          const findings = verdict.findings.map((finding) => ({ ...finding, line: lineIn(finding, lineOf) }));
          output.result({ file, ...verdict, findings }, () => showFindings(file, findings, output.style));
          return verdict.valid ? 0 : 2;
        });
      }),
    );
  workflow
    .command('import')
    .argument(FILE, FILE_HELP)
    .description('store a workflow as the next version of its name; what cannot be walked is refused')
    .option('--note <text>', 'what is new in it')
    .action(
      context.action(async (file: string, options: { note?: string }) => {
        const { workflow: document } = await read(file);
        return withServer(context, async (session) => {
          const version = await session.call('workflowImport', {
            body: { workflow: document, ...given({ note: options.note }) },
          });
          output.result(version, () => showVersion(version));
          return 0;
        });
      }),
    );
  workflow
    .command('export')
    .argument('<name>', NAME_HELP)
    .description('a stored workflow as a file that reads as the same document again')
    .option('--at <version>', 'this version instead of the newest', number)
    .option(
      '--format <format>',
      'yaml (default) or json; the ending of --out decides where it is given',
      oneOf('yaml', 'json'),
    )
    .option('--out <file>', 'write it there; nothing that exists is overwritten')
    .action(
      context.action(async (name: string, options: { at?: number; format?: 'yaml' | 'json'; out?: string }) =>
        withServer(context, async (session) => {
          const { at, out } = options;
          const stored = await session.call('workflowExport', { params: { name }, query: given({ version: at }) });
          const { formatWorkflow } = await import('@cloutagent/server');
          const text = formatWorkflow(
            stored.workflow,
            options.format ?? (out !== undefined && out.endsWith('.json') ? 'json' : 'yaml'),
          );
          if (out === undefined) {
            output.result(stored, () => text.trimEnd());
            return 0;
          }
          await writeNew(path.resolve(context.cwd() ?? context.io.cwd, out), text);
          output.result({ name, version: stored.version, file: out }, () => `${showVersion(stored)} is in ${out}`);
          return 0;
        }),
      ),
    );
};

const writeNew = async (file: string, text: string): Promise<void> => {
  try {
    await writeFile(file, text, { flag: 'wx' });
  } catch (cause) {
    const there = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
    throw new CloutError('INVALID_INPUT', there ? `${file} exists already` : `${file} cannot be written`, {
      hint: there ? 'Remove it, or name another file' : 'Name a file in an existing folder that may be written',
      cause,
    });
  }
};

const lineIn = ({ node }: WorkflowFinding, lineOf: (place: string) => number | undefined): number | null =>
  node === null ? null : (lineOf(node) ?? null);

const registerVersions = (workflow: Command, context: Context): void => {
  const { output } = context;
  workflow
    .command('list')
    .description('stored workflows, each with its newest version')
    .action(
      context.action(async () =>
        withServer(context, async (session) => {
          const list = await session.call('workflowsList');
          output.result(list, () => showVersions(list.workflows, output.style));
          return 0;
        }),
      ),
    );
  workflow
    .command('show')
    .argument('<name>', NAME_HELP)
    .description('versions of a stored workflow, newest first')
    .action(
      context.action(async (name: string) =>
        withServer(context, async (session) => {
          const found = await session.call('workflowVersions', { params: { name } });
          output.result(found, () => showVersions(found.versions, output.style));
          return 0;
        }),
      ),
    );
  workflow
    .command('diff')
    .argument('<name>', NAME_HELP)
    .argument('<from>', 'version', number)
    .argument('<to>', 'version', number)
    .description('what differs between two versions; exit code 1 where something does')
    .action(
      context.action(async (name: string, from: number, to: number) =>
        withServer(context, async (session) => {
          const diff = await session.call('workflowDiff', { params: { name }, query: { from, to } });
          output.result(diff, () => showDiff(diff, output.style));
          return diff.changes.length === 0 ? 0 : 1;
        }),
      ),
    );
  workflow
    .command('rollback')
    .argument('<name>', NAME_HELP)
    .argument('<version>', 'version whose document is stored again as the next one', number)
    .description('go back to an old version; every version stays')
    .action(
      context.action(async (name: string, version: number) =>
        withServer(context, async (session) => {
          const stored = await session.call('workflowRollback', { params: { name }, body: { version } });
          output.result(stored, () => showVersion(stored));
          return 0;
        }),
      ),
    );
};
