import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WorkflowDiff, WorkflowVersion } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { cloutJson, runProgram } from './support/program.ts';
import { openTempProject, type TempProject } from './support/project.ts';
import { startWorkflowServer } from './support/workflow-server.ts';

const FIRST = `name: publish
variables: { reader: bakers }
nodes:
  - { id: in, type: input }
  - id: each
    type: map
    data:
      nodes:
        - id: say
          type: template
          data: { template: '{{input}} for {{reader}}' }
  - { id: out, type: output }
edges:
  - { source: in, target: each }
  - { source: each, target: out }
`;
const file = (project: TempProject, text: string, name = 'publish.yaml'): string => {
  writeFileSync(join(project.root, name), text);
  return name;
};
const run = async (project: TempProject, ...args: string[]) => {
  const { code, stdout, stderr } = await runProgram('clout', [...args, '--json'], project);
  return { code, answer: JSON.parse(stdout || stderr) as Record<string, unknown> };
};

describe('clout workflow validate', () => {
  it('ties what is wrong to nodes and lines, in text and in JSON, with exit code 2', async () => {
    using project = openTempProject();
    await using _server = await startWorkflowServer(project, {});
    const good = await run(project, 'workflow', 'validate', file(project, FIRST));
    expect(good).toEqual({ code: 0, answer: { file: 'publish.yaml', valid: true, findings: [] } });

    const bad = `nodes:
  - { id: in, type: input }
  - { id: a, type: agent, data: { model: none-1, mcpServers: [absent] } }
  - id: each
    type: map
    data:
      nodes:
        - id: say
          type: template
          data: { template: '{{in}} {{nobody}}' }
  - { id: out, type: output }
edges: [{ source: in, target: a }, { source: a, target: each }]
`;
    const { code, answer } = await run(project, 'workflow', 'validate', file(project, bad));
    const found = (answer['findings'] as { code: string; severity: string; node: string; line: number }[]).map(
      ({ code: finding, severity, node, line }) => [finding, severity, node, line],
    );
    expect([code, answer['valid'], found]).toEqual([
      2,
      false,
      [
        ['NO_SUCH_SERVER', 'error', 'a', 3],
        ['PRICE_UNKNOWN', 'error', 'a', 3],
        ['UNKNOWN_VARIABLE', 'warning', 'each/say', 8],
        ['UNKNOWN_VARIABLE', 'warning', 'each/say', 8],
        ['MISSING_INPUT', 'warning', 'out', 11],
      ],
    ]);
    const text = await runProgram('clout', ['workflow', 'validate', 'publish.yaml'], project);
    expect([text.code, text.stdout]).toEqual([
      2,
      expect.stringContaining(
        'publish.yaml:3: error PRICE_UNKNOWN a: No price is known for the model none-1',
      ) as string,
    ]);

    const circle = `{"nodes": [{"id": "a", "type": "template", "data": {"template": "x"}},
      {"id": "b", "type": "template", "data": {"template": "x"}}],
      "edges": [{"source": "a", "target": "b"}, {"source": "b", "target": "a"}]}`;
    const json = await run(project, 'workflow', 'validate', file(project, circle, 'circle.json'));
    expect(json).toMatchObject({ code: 2, answer: { findings: [{ code: 'CYCLE', node: 'a', line: 1 }] } });

    const broken = FIRST.replace('type: template', 'type: nonsense');
    const refused = await run(project, 'workflow', 'validate', file(project, broken));
    expect(refused).toMatchObject({ code: 2, answer: { error: { code: 'WORKFLOW_INVALID' } } });
    expect(refused.answer).toHaveProperty('error.details.issues.0.line', 10);
  }, 60_000);
});

describe('stored versions of workflows', () => {
  it('are imported, listed, compared, rolled back and exported, and never change', async () => {
    using project = openTempProject();
    await using _server = await startWorkflowServer(project, {});
    file(project, FIRST);
    const version = async (...args: string[]): Promise<WorkflowVersion> =>
      WorkflowVersion.parse(await cloutJson(['workflow', ...args], project));
    expect(await version('import', 'publish.yaml', '--note', 'the first')).toMatchObject({
      version: 1,
      note: 'the first',
    });
    // The same document is the same version.
    expect(await version('import', 'publish.yaml')).toMatchObject({ version: 1 });
    file(project, `${FIRST.replace('for {{reader}}', 'to {{reader}}')}concurrency: 2\n`);
    expect(await version('import', 'publish.yaml')).toMatchObject({ version: 2 });

    const { code, answer } = await run(project, 'workflow', 'diff', 'publish', '1', '2');
    const { changes } = WorkflowDiff.parse(answer);
    expect([code, changes.map(({ what, id, kind }) => `${kind} ${what} ${id}`)]).toEqual([
      1,
      ['changed node each', 'added field concurrency'],
    ]);
    expect(changes[0]?.before).toContain('{{input}} for {{reader}}');
    expect(changes[0]?.after).toContain('{{input}} to {{reader}}');

    expect(await version('rollback', 'publish', '1')).toMatchObject({ version: 3, rolledBackTo: 1 });
    expect(await run(project, 'workflow', 'diff', 'publish', '1', '3')).toMatchObject({
      code: 0,
      answer: { changes: [] },
    });
    const { answer: shown } = await run(project, 'workflow', 'show', 'publish');
    expect((shown['versions'] as WorkflowVersion[]).map((one) => one.version)).toEqual([3, 2, 1]);
    const { answer: listed } = await run(project, 'workflow', 'list');
    expect(listed).toMatchObject({ workflows: [{ name: 'publish', version: 3 }] });

    for (const out of ['again.yaml', 'again.json']) {
      await cloutJson(['workflow', 'export', 'publish', '--at', '2', '--out', out], project);
      // What was exported reads as the same document: it makes no version beside the one it equals.
      await cloutJson(['workflow', 'rollback', 'publish', '2'], project);
      const again = await version('import', out);
      expect(again.rolledBackTo).toBe(2);
    }
    expect(await run(project, 'workflow', 'export', 'publish', '--out', 'again.json')).toMatchObject({
      code: 2,
      answer: { error: { code: 'INVALID_INPUT' } },
    });
    for (const words of [
      ['export', 'none'],
      ['export', 'publish', '--at', '99'],
      ['show', 'no name'],
      ['rollback', 'publish', '99'],
    ]) {
      expect(await run(project, 'workflow', ...words), words.join(' ')).toMatchObject({
        code: 3,
        answer: { error: { code: 'WORKFLOW_NOT_FOUND' } },
      });
    }

    const stored = join(project.root, '.cloutagent/workflows/publish/2.json');
    chmodSync(stored, 0o600);
    writeFileSync(
      stored,
      project.read('.cloutagent/workflows/publish/2.json').replace('to {{reader}}', 'at {{reader}}'),
    );
    const damaged = await run(project, 'workflow', 'export', 'publish', '--at', '2');
    expect(damaged).toMatchObject({ code: 2, answer: { error: { code: 'WORKFLOW_INVALID' } } });
  }, 120_000);

  it('a run takes the stored workflows along that its document names', async () => {
    using project = openTempProject();
    await using _server = await startWorkflowServer(project, {});
    file(project, `name: shout\nnodes: [{ id: t, type: template, data: { template: '{{input}}!' } }]`, 'shout.yaml');
    const outer = (version: string) =>
      `nodes: [{ id: s, type: workflow, data: { workflow: shout${version} } }, { id: out, type: output }]\nedges: [{ source: s, target: out }]`;
    file(project, outer(''));
    const before = await run(project, 'workflow', 'validate', 'publish.yaml');
    expect(before).toMatchObject({ code: 2, answer: { findings: [{ code: 'NO_SUCH_WORKFLOW', node: 's', line: 1 }] } });
    await cloutJson(['workflow', 'import', 'shout.yaml'], project);
    file(project, `name: shout\nnodes: [{ id: t, type: template, data: { template: '{{input}}?' } }]`, 'shout.yaml');
    await cloutJson(['workflow', 'import', 'shout.yaml'], project);
    for (const [version, output] of [
      ['', 'hey?'],
      [', version: 1', 'hey!'],
    ] as const) {
      file(project, outer(version));
      const ran = await runProgram(
        'clout',
        ['run', 'publish.yaml', '--simulate', '--budget', '1', '--input', 'hey'],
        project,
      );
      expect(ran.code, ran.stderr + ran.stdout).toBe(0);
      const detail = (await cloutJson(['runs', 'show', 'last'], project)) as {
        steps: { key: string; output: unknown }[];
      };
      expect(detail.steps.find(({ key }) => key === 'out')).toMatchObject({ output: { output } });
    }
  }, 90_000);
});
