import { ArchiveResult, ChangePage, Plan, Receipt, Run } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { SLUG, TASKS, writePriceList } from './support/change.ts';
import { audit } from './support/ledger.ts';
import { cloutJson, runProgram } from './support/program.ts';
import { openTempProject, type TempProject } from './support/project.ts';

const openPriceList = async (project: TempProject, more: readonly string[] = []): Promise<void> => {
  await cloutJson(['change', 'open', SLUG, '--title', 'Add a price list'], project);
  writePriceList(project, more);
};

const lastLine = (text: string): unknown => JSON.parse(text.trim().split('\n').at(-1) ?? '');

describe('the lane', () => {
  it('[X3.plan X3.receipt X7.marked X1.ledger-exact E7.failed-check E14.filesystem X9.json] goes from an opened change to an archived one', async () => {
    using project = openTempProject();
    await openPriceList(project);
    const page = ChangePage.parse(await cloutJson(['change', 'list'], project));
    expect(page.items.find(({ slug }) => slug === SLUG)?.tasks).toEqual({ done: 0, total: TASKS });

    const plan = Plan.parse(await cloutJson(['plan', SLUG, '--simulate'], project));
    expect(plan.tasks).toHaveLength(TASKS);
    expect(plan.ceiling.nanoUsd).toBeGreaterThan(plan.expected.nanoUsd);

    const ran = await runProgram('clout', ['run', SLUG, '--simulate', '--budget', '0.50', '--json'], project);
    expect(ran.code, ran.stderr + ran.stdout).toBe(0);
    expect(project.read(`openspec/changes/${SLUG}/tasks.md`).match(/- \[x\]/gu)).toHaveLength(TASKS);
    expect(project.read('prices/part-3.md')).toContain('Part 3 of the "price list"');

    const { detail, repeated, surplus, wrongRows } = await audit(project);
    expect({ repeated, surplus, wrongRows }).toEqual({ repeated: [], surplus: 0, wrongRows: [] });
    expect(detail.run).toMatchObject({ status: 'completed', simulated: true });
    expect(detail.run.money.spent.nanoUsd).toBeLessThanOrEqual(500_000_000);

    const archived = ArchiveResult.parse(await cloutJson(['change', 'archive', SLUG], project));
    expect(archived.totals.added).toBe(1);
    expect(project.read('openspec/specs/prices/spec.md')).toContain('### Requirement: Price list');
    expect(project.has(`openspec/changes/${SLUG}`)).toBe(false);
    const receipt = Receipt.parse(JSON.parse(project.read(archived.receiptPath)));
    expect(receipt.ledger).toBe('consulted');
    expect(receipt.tasks.map(({ done, verification }) => ({ done, verification }))).toEqual(
      Array.from({ length: TASKS }, () => ({ done: true, verification: 'checked' })),
    );
    expect(receipt.runs.map(({ id }) => id)).toEqual([detail.run.id]);
    expect(receipt.runs[0]?.toolCalls.length).toBeGreaterThanOrEqual(TASKS);
    expect(receipt.cost).toMatchObject({
      billed: { nanoUsd: 0 },
      simulated: { nanoUsd: detail.run.money.spent.nanoUsd },
    });
  }, 60_000);

  it('[X1.pause X1.resume BUDGET_EXHAUSTED] pauses at half the expected cost and goes on after a raise, repeating nothing', async () => {
    using project = openTempProject();
    // Half of five tasks would be less than the bound of one call.
    await openPriceList(
      project,
      Array.from({ length: 15 }, (_, at) => `Write part ${at}`),
    );
    const plan = Plan.parse(await cloutJson(['plan', SLUG, '--simulate'], project));
    const half = (plan.expected.nanoUsd / 2 / 1e9).toFixed(9);
    const paused = await runProgram('clout', ['run', SLUG, '--simulate', '--budget', half, '--json'], project);
    expect(paused.code, paused.stderr + paused.stdout).toBe(6);
    const before = await audit(project);
    expect(before.detail.run).toMatchObject({ status: 'paused', reason: { code: 'BUDGET_EXHAUSTED' } });
    expect(before.detail.run.reason?.details).toMatchObject({ neededNanoUsd: expect.any(Number) as number });
    expect(before.detail.run.tasks.filter(({ status }) => status === 'done').length).toBeGreaterThanOrEqual(1);
    expect(before.detail.run.money.spent.nanoUsd).toBeLessThanOrEqual(plan.expected.nanoUsd / 2);

    const resumed = await runProgram('clout', ['runs', 'resume', 'last', '--budget', '0.50', '--json'], project);
    expect(resumed.code, resumed.stderr + resumed.stdout).toBe(0);
    expect(Run.parse((lastLine(resumed.stdout) as { run: unknown }).run).status).toBe('completed');
    const after = await audit(project);
    expect({ repeated: after.repeated, surplus: after.surplus, wrongRows: after.wrongRows }).toEqual({
      repeated: [],
      surplus: 0,
      wrongRows: [],
    });
    expect(after.requests.slice(0, before.requests.length)).toEqual(before.requests);
  }, 60_000);
});
