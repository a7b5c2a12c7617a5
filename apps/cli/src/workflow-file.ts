import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { CloutError, type WorkflowDocument } from '@cloutagent/contract';
import type { WorkflowFile } from '@cloutagent/server';

/** Whether a word of the command line names a file of a workflow and not a change. */
export const isWorkflowFile = (word: string): boolean => /\.(?:ya?ml|json)$/iu.test(word);

/** Reads a workflow from a file. Throws INVALID_INPUT, WORKFLOW_INVALID. */
export const readWorkflow = async (cwd: string, file: string): Promise<WorkflowDocument> =>
  (await readWorkflowFile(cwd, file)).workflow;

/** The same with the lines of its nodes; it goes by the name of its file where it has none. Throws INVALID_INPUT, WORKFLOW_INVALID. */
export const readWorkflowFile = async (cwd: string, file: string): Promise<WorkflowFile> => {
  let text: string;
  try {
    text = await readFile(path.resolve(cwd, file), 'utf8');
  } catch (cause) {
    throw new CloutError('INVALID_INPUT', `The workflow ${file} cannot be read`, {
      hint: 'Name an existing file, relative to the current folder',
      cause,
    });
  }
  // The parser comes with the server, which the command needs anyway.
  const { parseWorkflow } = await import('@cloutagent/server');
  const parsed = parseWorkflow(text, file);
  const { workflow } = parsed;
  return workflow.name === undefined ? { ...parsed, workflow: { ...workflow, name: nameOf(file) } } : parsed;
};

const nameOf = (file: string): string =>
  path
    .basename(file)
    .replace(/\.[^.]*$/u, '')
    .replaceAll(/[^A-Za-z0-9_.-]/gu, '-')
    .replace(/^[.-]+/u, '')
    .slice(0, 100) || 'workflow';

export interface WorkflowOptions {
  readonly input?: string;
  readonly var?: readonly string[];
}

/** `--var name=value`, as often as needed. */
export const collectVariable = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

export const variablesOf = ({ var: given = [] }: WorkflowOptions): Record<string, string> =>
  Object.fromEntries(
    given.map((pair) => {
      const at = pair.indexOf('=');
      if (at <= 0) throw new CloutError('INVALID_INPUT', `--var takes name=value, not ${JSON.stringify(pair)}`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
