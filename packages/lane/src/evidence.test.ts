import type { RunDetail, Task } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import type { LaneDeps } from './deps.ts';
import { evidenceGate, type EvidenceAsked } from './evidence.ts';

const task = (id: string, done: boolean): Task => ({
  id,
  title: `Task ${id}`,
  done,
  line: 1,
  notes: [],
  checks: [],
  unreadableChecks: [],
});

/** A run that ticked these tasks; only what the gate looks at. */
const run = (...ticked: readonly string[]): RunDetail =>
  ({
    run: { id: 'run_1', tasks: ticked.map((id) => ({ id, title: `Task ${id}` })) },
    steps: ticked.map((id) => ({
      kind: 'task',
      name: id,
      output: { taskId: id, ticked: true, verification: 'unverified', attempts: 1, evidence: [], note: '', code: null },
    })),
  }) as unknown as RunDetail;

const gate = async (runs: readonly RunDetail[], asked: Partial<EvidenceAsked> = {}): Promise<unknown> => {
  const journal = { receiptRuns: async () => runs } as unknown as LaneDeps['journal'];
  const tasks = [task('1.1', true), task('1.2', true), task('1.3', false)];
  return evidenceGate(
    { projectId: 'default', journal },
    { slug: 'chg', tasks, allowIncomplete: false, policy: undefined, isPlanned: false, ...asked },
  ).catch((error: unknown) => error);
};

const WARNING = [expect.stringContaining('2 of 2 done task(s) were ticked by hand, so nothing proves them: 1.1, 1.2')];
const REFUSAL: unknown = expect.objectContaining({
  code: 'CHANGE_TASKS_INCOMPLETE',
  details: { slug: 'chg', unproven: ['1.1', '1.2'] },
});

describe('[T8.evidence] the policy archive.evidence', () => {
  it('off asks for nothing, warn warns, required refuses', async () => {
    expect(await gate([], { policy: 'off' })).toEqual([]);
    expect(await gate([run()], { policy: 'off' })).toEqual([]);
    expect(await gate([], { policy: 'warn' })).toEqual(WARNING);
    expect(await gate([run()], { policy: 'warn' })).toEqual(WARNING);
    expect(await gate([], { policy: 'required' })).toEqual(REFUSAL);
  });

  it('is warn by itself, and required once the change was planned or run here', async () => {
    expect(await gate([])).toEqual(WARNING);
    expect(await gate([], { isPlanned: true })).toEqual(REFUSAL);
    expect(await gate([run()])).toEqual(REFUSAL);
  });

  it('is content with what runs did, and asks only for the rest', async () => {
    expect(await gate([run('1.1', '1.2')])).toEqual([]);
    expect(await gate([run('1.1')])).toMatchObject({ details: { unproven: ['1.2'] } });
    // Another task under the same number is another task.
    const renamed = {
      ...run('1.1', '1.2'),
      run: { id: 'r', tasks: [{ id: '1.1', title: 'Other' }] },
    } as unknown as RunDetail;
    expect(await gate([renamed])).toEqual(REFUSAL);
  });

  it('only warns where the caller accepts what is incomplete', async () => {
    expect(await gate([run()], { allowIncomplete: true })).toEqual(WARNING);
  });
});
