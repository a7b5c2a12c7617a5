import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Config, type McpTool, type McpToolResult } from '@cloutagent/contract';
import { loadPrices, type ModelPort, type ToolPort } from '@cloutagent/engine';
import type { Clock } from '@cloutagent/kit';
import { openProject } from '@cloutagent/openspec';
import type { LaneDeps, LaneJournal, RunCommand } from './deps.ts';

const tool = (name: string, annotations: McpTool['annotations'], required: readonly string[]): McpTool => ({
  server: 'filesystem',
  name,
  description: `${name} of the test, which works on real files and says what went wrong`,
  inputSchema: {
    type: 'object',
    properties: Object.fromEntries(required.map((field) => [field, { type: 'string' }])),
    required,
  },
  annotations,
});

const FILE_TOOLS: readonly McpTool[] = [
  tool('write_file', { readOnlyHint: false, idempotentHint: true }, ['path', 'content']),
  tool('edit_file', { readOnlyHint: false, idempotentHint: false }, ['path', 'content']),
  tool('create_directory', { readOnlyHint: false, idempotentHint: true }, ['path']),
  tool('list_directory', { readOnlyHint: true }, ['path']),
  tool('read_text_file', { readOnlyHint: true }, ['path']),
  tool('move_file', { readOnlyHint: false }, ['source']),
  { ...tool('write_file', {}, []), server: 'other' },
];

export interface FileTools extends ToolPort {
  /** `write_file a.txt`, in order. */
  readonly calls: readonly string[];
}

/** Tools of a filesystem server, over real files. */
export const openFileTools = (root: string): FileTools => {
  const calls: string[] = [];
  const byName = new Map(FILE_TOOLS.map((one) => [`mcp__${one.server}__${one.name}`, one]));
  return {
    calls,
    tools: () => byName,
    call: async ({ name }, input) => {
      const fields = input as Readonly<Record<string, string | undefined>>;
      const file = fields['path'] ?? '';
      calls.push(`${name} ${path.relative(root, file)}`);
      const answer = (text: string, isError = false): McpToolResult => ({ content: [{ type: 'text', text }], isError });
      try {
        if (name === 'list_directory') {
          const entries = await readdir(file, { withFileTypes: true });
          return answer(entries.map((entry) => `[${entry.isDirectory() ? 'DIR' : 'FILE'}] ${entry.name}`).join('\n'));
        }
        if (name === 'read_text_file') return answer(await readFile(file, 'utf8'));
        if (name === 'create_directory') await mkdir(file, { recursive: true });
        else await writeFile(file, fields['content'] ?? '');
        return answer(`Done with ${file}`);
      } catch (error) {
        return answer(String(error), true);
      }
    },
  };
};

const DELTA = `## Purpose
Readers find what they noted when they come back to it later, on any of their machines.

## ADDED Requirements

### Requirement: Notes
The shop SHALL keep a note of every kind of bread.

#### Scenario: A reader looks
- **WHEN** a reader opens the notes
- **THEN** every note is shown
`;

export interface TempProject extends AsyncDisposable {
  readonly root: string;
  read(file: string): Promise<string>;
}

/** A project folder with one change, `add-notes`, that has these tasks. */
export const openTempProject = async (tasks: string): Promise<TempProject> => {
  const root = await mkdtemp(path.join(tmpdir(), 'lane-'));
  const folder = path.join(root, 'openspec/changes/add-notes');
  await mkdir(path.join(folder, 'specs/notes'), { recursive: true });
  await writeFile(
    path.join(folder, 'proposal.md'),
    '# Change: Add notes\n\n## Why\nNotes are missing.\n\n## What Changes\n- notes\n',
  );
  await writeFile(path.join(folder, 'tasks.md'), tasks);
  await writeFile(path.join(folder, 'specs/notes/spec.md'), DELTA);
  return {
    root,
    read: (file) => readFile(path.join(root, file), 'utf8'),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
};

export const TASKS_FILE = 'openspec/changes/add-notes/tasks.md';

export interface LaneOptions {
  readonly root: string;
  readonly journal: Omit<LaneJournal, 'receiptRuns'> & Partial<Pick<LaneJournal, 'receiptRuns'>>;
  readonly model: ModelPort;
  readonly clock: Clock;
  readonly tools?: ToolPort;
  readonly trusted?: boolean;
  readonly runCommand?: RunCommand;
  readonly run?: Partial<Config['run']>;
}

/** What the lane needs, with real files and the given journal and model. */
export const openLane = async (options: LaneOptions): Promise<LaneDeps> => {
  const { root, journal, model, clock, tools = openFileTools(root), trusted = false } = options;
  return {
    project: await openProject(root, { clock, caller: 'test' }),
    projectId: 'default',
    journal: { receiptRuns: async () => [], ...journal },
    model: () => model,
    caches: () => model.caches !== false,
    tools: async () => tools,
    prices: loadPrices(),
    config: Config.parse({ run: { ...options.run } }),
    clock,
    random: () => 0.5,
    trusted,
    runCommand: options.runCommand ?? (async () => ({ exitCode: 0, output: '' })),
  };
};
