import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { ROOT } from './support/files.ts';
import { runProgram } from './support/program.ts';
import { openTempProject } from './support/project.ts';

interface Coverage {
  readonly result: readonly { readonly url: string }[];
}

/** The modules that are in a file of a bundle, relative to the workspace. */
const modulesIn = (file: string): readonly string[] =>
  [...readFileSync(file, 'utf8').matchAll(/^\/\/ ((?:packages|apps|node_modules)\/.+)$/gmu)].map(
    ([, module]) => module ?? '',
  );

/** The files that a program loaded, relative to the workspace, with the modules that are in them. */
const loadedBy = async (...[name, args, input]: readonly ['clout' | 'task-mcp', readonly string[], string?]) => {
  using project = openTempProject();
  const folder = mkdtempSync(join(tmpdir(), 'cloutagent-loaded-'));
  try {
    const env = { NODE_V8_COVERAGE: folder };
    const { code, stdout, stderr } = await runProgram(name, args, project, { env, input: input ?? '' });
    expect(code, stderr).toBe(0);
    const files = readdirSync(folder).flatMap((file) =>
      (JSON.parse(readFileSync(join(folder, file), 'utf8')) as Coverage).result
        .filter(({ url }) => url.startsWith('file:'))
        .map(({ url }) => fileURLToPath(url)),
    );
    return { files: files.map((file) => file.slice(ROOT.length)), modules: files.flatMap(modulesIn), stdout };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

it("[X8.bundle] gives the store's thread no schema, since every start waits for it", () => {
  const modules = modulesIn(`${ROOT}packages/store/dist/bundle/worker.js`);
  expect(modules).toContain('packages/store/src/worker.ts');
  expect(modules.filter((module) => module.startsWith('node_modules/'))).toEqual([]);
});

it('[X8.bundle] serves stdio from its bundle alone, without the HTTP front', async () => {
  const ask = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n';
  const { files, modules, stdout } = await loadedBy('task-mcp', [], ask);
  expect(stdout).toContain('"change.open"');
  const [program, ...chunks] = files.filter((file) => !file.startsWith('packages/task-mcp/dist/bundle/'));
  expect([program, chunks]).toEqual(['packages/task-mcp/bin/task-mcp.mjs', []]);
  expect(modules).toContain('packages/task-mcp/src/mcp/stdio.ts');
  const unwanted = /packages\/http\/src\/front|find-my-way|sirv|ajv|packages\/task-mcp\/src\/mcp\/http/u;
  expect(modules.filter((module) => unwanted.test(module))).toEqual([]);
});

it.each([
  ['list', []],
  ['show', ['add-greeting-page']],
  ['validate', ['add-greeting-page']],
])('[X8.bundle] runs clout change %s from its bundle alone, without server, model and MCP', async (command, args) => {
  const { files, modules } = await loadedBy('clout', ['change', command, ...args]);
  expect(files.filter((file) => !file.startsWith('apps/cli/dist/bundle/'))).toEqual(['apps/cli/bin/clout.mjs']);
  expect(modules).toContain('apps/cli/src/command/change.ts');
  const unwanted =
    /apps\/server|packages\/(?:http|store|engine|lane|mcp|task-mcp)\/|@anthropic-ai|@modelcontextprotocol/u;
  expect(modules.filter((module) => unwanted.test(module))).toEqual([]);
});

it('[X8.bundle] shows where an unforeseen error came from', async () => {
  using project = openTempProject();
  const broken = `data:text/javascript,${encodeURIComponent("process.stdout.write=()=>{throw new Error('here')}")}`;
  const env = { LOG_LEVEL: 'debug', NODE_OPTIONS: `--enable-source-maps --import ${broken}` };
  const { stderr } = await runProgram('clout', ['change', 'list'], project, { env });
  expect(stderr).toMatch(/here[^]*apps\/cli\/src\/command\/change\.ts:\d+:\d+/u);
});
