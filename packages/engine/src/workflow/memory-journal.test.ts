import { codeOf, type NewRun, type StepRow } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { runAgent } from '../agent/loop.ts';
import { openConversation, toPrefix, withUser } from '../agent/conversation.ts';
import { openFakeTools, textResult, toolOf } from '../agent/tool-port.fake.ts';
import { toDefinitions } from '../agent/tool-port.ts';
import { openFakeModel, say, use as useTool } from '../model/port.fake.ts';
import { loadPrices, priceFor } from '../model/price.ts';
import { openFakeClock } from './drive.fake.ts';
import { openDrive } from './drive.ts';
import { openMemoryJournal, type MemoryJournal } from './memory-journal.ts';

const PROJECT = { scope: 'project', id: 'p' } as const;
const level = (id: string) => ({ scope: 'run', id }) as const;

const newRun = (id: string): NewRun => ({
  id,
  projectId: 'p',
  document: {
    format: 1,
    kind: 'change',
    slug: 's',
    title: 't',
    model: 'claude-sonnet-5-5',
    maxIterations: 5,
    maxAttempts: 1,
    maxTokens: 1024,
    system: '',
    tasks: [],
  },
  documentHash: '',
  simulated: false,
  limitNanoUsd: null,
});

const open = async (journal: MemoryJournal, id: string, limitNanoUsd: number | null = null) => {
  await journal.start(newRun(id), [
    { ...PROJECT, limitNanoUsd: null },
    { ...level(id), limitNanoUsd },
  ]);
  return journal.claim(id);
};

const reserve = (id: string, runId: string, amountNanoUsd: number) =>
  ({
    op: 'reserve',
    id,
    stepKey: id,
    attempt: 1,
    model: 'm',
    priceId: 'm',
    amountNanoUsd,
    levels: [PROJECT, level(runId)],
  }) as const;

const row = (key: string): StepRow => ({
  key,
  kind: 'tool',
  name: 'a:b',
  inputHash: 'h',
  input: null,
  output: null,
  isError: false,
  usage: null,
  costNanoUsd: 0,
  startedAt: 0,
  endedAt: 0,
});

const spent = async (journal: MemoryJournal) => (await journal.budgets([PROJECT]))[0];
const codeFrom = async (work: Promise<unknown>) => work.then(() => undefined, codeOf);

describe('the journal in memory', () => {
  it('[X1] never lets reservations exceed a limit, at any concurrency, and leaves no trace of a refused unit', async () => {
    const journal = openMemoryJournal(openFakeClock());
    const claim = await open(journal, 'run_1', 1000);
    const codes = await Promise.all(
      Array.from({ length: 60 }, (_, nth) =>
        codeFrom(journal.commit(claim, { money: [reserve(`r${nth}`, 'run_1', 99)], steps: [row(`s${nth}`)] })),
      ),
    );
    expect(codes.filter((code) => code === 'BUDGET_EXHAUSTED')).toHaveLength(50);
    expect(await journal.budgets([level('run_1')])).toMatchObject([{ spentNanoUsd: 0, heldNanoUsd: 990 }]);
    expect((await journal.claim('run_1')).steps).toHaveLength(10);
  });

  it('settles once, books what was left open at its bound, and keeps what other runs see of it', async () => {
    const journal = openMemoryJournal(openFakeClock());
    const claim = await open(journal, 'run_1');
    await journal.commit(claim, { money: [reserve('a', 'run_1', 500), reserve('b', 'run_1', 300)] });
    const settle = {
      op: 'settle',
      id: 'a',
      outcome: 'known',
      amountNanoUsd: 120,
      usage: null,
      requestId: null,
    } as const;
    await journal.commit(claim, { money: [settle] });
    await journal.commit(claim, { money: [settle] });
    expect(await spent(journal)).toMatchObject({ spentNanoUsd: 120, heldNanoUsd: 300 });
    await journal.commit(claim, { state: { status: 'failed', reason: null } });
    expect(await spent(journal)).toMatchObject({ spentNanoUsd: 420, heldNanoUsd: 0 });
  });

  it('refuses a driver that was replaced, a step twice, and a run twice', async () => {
    const journal = openMemoryJournal(openFakeClock());
    const first = await open(journal, 'run_1');
    const second = await journal.claim('run_1');
    expect(await codeFrom(journal.commit(first, { steps: [row('k')] }))).toBe('FENCED');
    await journal.commit(second, { steps: [row('k')] });
    expect(await codeFrom(journal.commit(second, { steps: [row('k')] }))).toBe('DIVERGED');
    expect(await codeFrom(open(journal, 'run_1'))).toBe('RUN_EXISTS');
  });

  it('gives a driver that comes back the rows and the intents without one', async () => {
    const journal = openMemoryJournal(openFakeClock());
    const claim = await open(journal, 'run_1');
    const intent = (key: string) => ({ key, inputHash: 'h', repeatable: false, name: 'a:b' });
    await journal.commit(claim, { intents: [intent('done'), intent('open')] });
    await journal.commit(claim, { steps: [row('done')], state: { status: 'paused', reason: null } });
    const again = await journal.claim('run_1');
    expect(again.steps.map(({ key }) => key)).toEqual(['done']);
    expect(again.openIntents.map(({ key }) => key)).toEqual(['open']);
  });

  it('numbers events without a gap and keeps the last 1,000', async () => {
    const journal = openMemoryJournal(openFakeClock());
    const claim = await open(journal, 'run_1');
    const body = { type: 'run.state', status: 'running', reason: null } as const;
    for (let nth = 0; nth < 300; nth += 1) await journal.commit(claim, { events: [body, body, body, body] });
    const events = await journal.events('run_1', 0, 5000);
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 1000 }, (_, index) => index + 201));
    expect(await journal.events('run_1', 1199, 10)).toHaveLength(1);
  });

  it('drives the same loop, and keeps nothing of a run that has ended', async () => {
    const clock = openFakeClock();
    const journal = openMemoryJournal(clock);
    const tools = openFakeTools([toolOf('read', { readOnlyHint: true })], () => textResult('text'));
    const price = priceFor(loadPrices(), 'claude-sonnet-5-5');
    for (let nth = 0; nth < 50; nth += 1) {
      const id = `run_${nth}`;
      const claim = await open(journal, id);
      const drive = openDrive(claim, [PROJECT, level(id)], {
        journal,
        clock,
        random: () => 0,
        signal: new AbortController().signal,
        onText: () => undefined,
        onEvents: () => undefined,
      });
      const port = openFakeModel((_request, call) =>
        call === 0 ? useTool('t', 'mcp__filesystem__read', {}) : say('Done.'),
      );
      const prefix = toPrefix('claude-sonnet-5-5', '', toDefinitions(tools.tools()));
      const conversation = withUser(openConversation(prefix), 'Go');
      const end = await runAgent(drive, { port, price, prefixes: journal, maxTokens: 1024 }, tools, {
        prefix: 'agent',
        conversation,
        maxIterations: 5,
      });
      expect(end).toMatchObject({ failure: null, answer: 'Done.' });
      await drive.commit({ state: { status: 'completed', reason: null } });
      expect(await codeFrom(journal.claim(id))).toBe('RUN_NOT_FOUND');
    }
    expect(journal.size).toBe(0);
    expect(await journal.budgets([level('run_49')])).toMatchObject([{ spentNanoUsd: 0 }]);
    expect((await spent(journal))?.spentNanoUsd).toBeGreaterThan(0);
  });
});
