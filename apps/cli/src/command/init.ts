import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { locate } from '../with-server.ts';
import type { Register } from '../context.ts';

const CONFIG = `schema: spec-driven

# What the agents should know about this project: languages, tools, conventions.
# context: |
#   Tech stack: …
`;

const FILES: Readonly<Record<string, string>> = {
  'openspec/config.yaml': CONFIG,
  'openspec/specs/.gitkeep': '',
  'openspec/changes/archive/.gitkeep': '',
};

export const registerInit: Register = (program, context) => {
  program
    .command('init')
    .description('make an openspec folder; files that are there stay as they are')
    .action(
      context.action(async () => {
        const { root } = await locate(context);
        const created: string[] = [];
        for (const [file, text] of Object.entries(FILES)) {
          await mkdir(path.dirname(path.join(root, file)), { recursive: true });
          if (await writeNew(path.join(root, file), text)) created.push(file);
        }
        context.output.result({ root, created }, () =>
          created.length === 0
            ? `${root} is a project already; nothing was changed.`
            : `Made ${created.join(', ')} in ${root}.\nNext: clout change open SLUG --title "What it is for"`,
        );
        return 0;
      }),
    );
};

const writeNew = async (file: string, text: string): Promise<boolean> => {
  try {
    await writeFile(file, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
};
