import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { toErrorBody } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { openFakeClock } from '../../engine/src/workflow/drive.fake.ts';
import { openFakeJournal } from '../../engine/src/workflow/journal.fake.ts';
import { openFakeModel } from '../../engine/src/model/port.fake.ts';
import { openBench } from './bench.fake.ts';
import { openTempProject, type TempProject } from './lane.fake.ts';
import { planChange } from './plan.ts';
import { worker } from './worker.fake.ts';

const open = (project: TempProject) => {
  const clock = openFakeClock();
  return openBench(project, { clock, journal: openFakeJournal(clock), model: openFakeModel(worker) });
};

const OPEN_LEASE = `lease:
  owner: eve
  since: 2999-01-01T00:00:00Z
  ttl: 3600
`;

describe('a fault that can be seen at the start', () => {
  it.each([
    ['CHANGE_INVALID', 'a check that cannot be read', '- [ ] 1.1 Do it\n  - check: file ../a exists\n'],
    ['CHANGE_INVALID', 'has no title', '- [ ] 1.1\n'],
    ['CHANGE_INVALID', 'says the same as another', '- [ ] Think\n- [ ] Think\n'],
    ['NOT_TRUSTED', 'run commands', '- [ ] 1.1 Do it\n  - check: run npm test\n'],
  ])('[E7.run-trusted X3.plan] is %s: %s; a plan warns of it and no run begins', async (code, words, tasks) => {
    await using project = await openTempProject(`- [ ] 1.0 Fine\n${tasks}`);
    const bench = await open(project);
    const error = toErrorBody(await bench.start().catch((thrown: unknown) => thrown));
    expect(error).toMatchObject({ code, message: expect.stringContaining(words) as string });
    expect(error.hint).toMatch(/clout (?:trust|run)/u);
    const { warnings } = await planChange(bench.deps, { slug: 'add-notes', simulated: false });
    expect(warnings.join('\n')).toContain(words);
  });

  it('names the task and the check', async () => {
    await using project = await openTempProject('- [ ] 1.1 Do it\n  - check: what\n- [x] 1.2 Done\n  - check: no\n');
    const bench = await open(project);
    await expect(bench.start()).rejects.toMatchObject({
      details: { slug: 'add-notes', tasks: [{ taskId: '1.1', title: 'Do it', check: 'what' }] },
    });
  });

  it("[T7.locked] another owner's lease is CHANGE_LOCKED", async () => {
    await using project = await openTempProject('- [ ] 1.1 Do it\n');
    await writeFile(path.join(project.root, 'openspec/changes/add-notes/.openspec.yaml'), OPEN_LEASE);
    const bench = await open(project);
    await expect(bench.start()).rejects.toMatchObject({ code: 'CHANGE_LOCKED', details: { owner: 'eve' } });
    const { warnings } = await planChange(bench.deps, { slug: 'add-notes', simulated: false });
    expect(warnings[0]).toContain('is held by eve');
  });
});
