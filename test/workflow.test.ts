import { Approval, Plan, ReplayReport, Run, RunDetail } from '@cloutagent/contract';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SLUG, TASKS } from './support/change.ts';
import { openPriceListProject } from './support/kill.ts';
import { cloutJson, runProgram } from './support/program.ts';
import { audit } from './support/ledger.ts';
import { openTempProject, type TempProject } from './support/project.ts';

const WORKFLOW = `
name: publish
nodes:
  - { id: in, type: input }
  - id: draft
    type: agent
    data: { systemPrompt: 'You write.', prompt: 'Write about {{input}} for {{reader}}' }
  - { id: ask, type: approval, data: { message: 'Publish this?' } }
  - { id: out, type: output }
edges:
  - { source: in, target: draft }
  - { source: draft, target: ask }
  - { source: ask, target: out }
variables: { reader: nobody }
`;

const writeWorkflow = (project: TempProject, text = WORKFLOW): void =>
  writeFileSync(join(project.root, 'publish.yaml'), text);
const lines = (text: string): readonly unknown[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
const lastRun = (text: string): Run => Run.parse((lines(text).at(-1) as { run: unknown }).run);

describe('clout and workflows', () => {
  it('[X2.approvals X5.fork X5.replay] plans, runs, waits for a person, goes on, replays and forks', async () => {
    using project = openTempProject();
    writeWorkflow(project);
    const plan = Plan.parse(await cloutJson(['plan', 'publish.yaml', '--simulate'], project));
    expect(plan.tasks.map(({ id, expectedCalls }) => `${id} ${expectedCalls}`)).toEqual([
      'in 0',
      'draft 1',
      'ask 0',
      'out 0',
    ]);

    const args = ['run', 'publish.yaml', '--simulate', '--input', 'bread', '--var', 'reader=bakers', '--json'];
    const ran = await runProgram('clout', args, project);
    expect(ran.code, ran.stderr + ran.stdout).toBe(6);
    const waiting = lastRun(ran.stdout);
    expect(waiting).toMatchObject({ status: 'waiting', kind: 'workflow', slug: 'publish', simulated: true });

    const shown = await runProgram('clout', ['runs', 'show', 'last'], project);
    expect(shown.stdout).toContain('clout runs approve apr_');
    const approval = Approval.parse(await cloutJson(['runs', 'approve', 'last', '--edit', 'Better.'], project));
    expect(approval).toMatchObject({ status: 'approved', edited: 'Better.' });
    const again = await runProgram('clout', ['runs', 'deny', approval.id, '--json'], project);
    expect([again.code, JSON.parse(again.stdout || again.stderr)]).toMatchObject([
      4,
      { error: { code: 'APPROVAL_DECIDED' } },
    ]);

    const watched = await runProgram('clout', ['runs', 'resume', 'last', '--json'], project);
    expect(watched.code, watched.stderr + watched.stdout).toBe(0);
    const detail = RunDetail.parse(await cloutJson(['runs', 'show', 'last'], project));
    expect(detail.steps.find(({ key }) => key === 'out')).toMatchObject({ output: { output: 'Better.' } });

    const replay = ReplayReport.parse(await cloutJson(['runs', 'replay', 'last'], project));
    expect(replay).toMatchObject({ equal: 4, divergences: [], modelCalls: 0 });
    writeWorkflow(project, WORKFLOW.replace('You write.', 'You sing.'));
    const changed = await runProgram(
      'clout',
      ['runs', 'replay', 'last', '--workflow', 'publish.yaml', '--json'],
      project,
    );
    expect([changed.code, ReplayReport.parse(JSON.parse(changed.stdout)).divergences]).toMatchObject([
      1,
      [{ node: 'draft' }],
    ]);

    const forked = await runProgram('clout', ['runs', 'fork', 'last', '--from', 'out', '--json'], project);
    expect(forked.code, forked.stderr + forked.stdout).toBe(0);
    expect(lastRun(forked.stdout)).toMatchObject({
      status: 'completed',
      forkedFrom: { step: 'out' },
      counts: { modelCalls: 1 },
    });
    expect(lastRun(forked.stdout).money.spent.nanoUsd).toBe(0);
  }, 90_000);

  it('works on the tasks of a change as a node: checks hold, boxes are ticked, the ledger is the bill', async () => {
    using project = await openPriceListProject();
    writeWorkflow(
      project,
      `nodes: [{ id: work, type: task-graph, data: { change: ${SLUG} } }, { id: out, type: output }]\nedges: [{ source: work, target: out }]`,
    );
    const ran = await runProgram('clout', ['run', 'publish.yaml', '--simulate', '--budget', '0.50', '--json'], project);
    expect(ran.code, ran.stderr + ran.stdout.slice(-2000)).toBe(0);
    expect(project.read(`openspec/changes/${SLUG}/tasks.md`).match(/- \[x\]/gu)).toHaveLength(TASKS);
    const { detail, repeated, surplus, wrongRows } = await audit(project);
    expect({ repeated, surplus, wrongRows }).toEqual({ repeated: [], surplus: 0, wrongRows: [] });
    expect(detail.steps.filter(({ key }) => key.startsWith('work/try[0]/task['))).not.toEqual([]);
    expect(detail.steps.find(({ key }) => key === 'out')).toMatchObject({
      output: { output: expect.stringContaining('1.1 ') as string },
    });
  }, 120_000);

  it('[WORKFLOW_INVALID] says what is wrong with a file', async () => {
    using project = openTempProject();
    writeWorkflow(project, 'nodes: [{ id: a, type: agent, data: { temperature: 7 } }]');
    const ran = await runProgram('clout', ['run', 'publish.yaml', '--simulate'], project);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('nodes.0.data.temperature')]);
    const missing = await runProgram('clout', ['plan', 'none.yaml'], project);
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('none.yaml')]);
  }, 30_000);
});
