import { CloutError, type ApprovalAnswer, type McpElicitation, type Unit } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { say } from '../model/port.fake.ts';
import { driveBelow } from '../workflow/below.ts';
import { openRig } from '../workflow/drive.fake.ts';
import type { Drive } from '../workflow/drive.ts';
import type { PeoplePort } from '../workflow/people.ts';
import { openQuestions } from './ask-person.ts';

const QUESTION: McpElicitation = {
  server: 'git',
  mode: 'form',
  message: 'Which branch?',
  schema: { type: 'object', properties: { branch: { type: 'string', default: 'main' } } },
};
const CALL = { key: 'task[1]/try[0]/turn[0]/tool[0]', tool: 'push' };
const APPROVE: ApprovalAnswer = { decision: 'approve', by: 'ann', reason: null, edited: null };

interface Desk extends PeoplePort {
  /** Approvals that somebody listens for. */
  readonly waiting: Map<string, (answer: ApprovalAnswer) => void>;
}

/** People who decide when they are asked, or later through `waiting`. */
const desk = (answer?: ApprovalAnswer, patienceMs = 60_000): Desk => {
  const waiting: Desk['waiting'] = new Map();
  return {
    patienceMs,
    waiting,
    onDecision: (_run, approval, decided) => {
      waiting.set(approval, decided);
      if (answer !== undefined) decided(answer);
      return () => void waiting.delete(approval);
    },
  };
};

/** A drive that keeps what it commits; time passes only for who sleeps until the end of patience. */
const open = async (over: Partial<Drive> & { readonly asleep?: boolean } = {}) => {
  const rig = await openRig({ script: () => say('') });
  const units: Unit[] = [];
  const drive = await rig.drive();
  const { asleep = true, ...more } = over;
  const commit: Drive['commit'] = async (unit) => {
    units.push(unit);
    await drive.commit(unit);
  };
  const clock = asleep
    ? { ...rig.clock, sleep: (_ms: number, signal?: AbortSignal) => untilAborted(signal) }
    : rig.clock;
  return { rig, units, drive: { ...drive, clock, commit, ...more } };
};
const untilAborted = (signal: AbortSignal | undefined): Promise<void> =>
  new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
  });
const never = new AbortController().signal;

describe('a question of a server', () => {
  it('[E6.elicitation] is an approval, an event and a row in one unit before anybody can answer', async () => {
    const { drive, units } = await open();
    const ask = openQuestions(drive, desk(APPROVE), CALL);
    expect(await ask(QUESTION, never)).toEqual({ action: 'accept', content: { branch: 'main' } });
    const [first, second] = units;
    const [approval] = first?.approvals ?? [];
    expect(approval).toMatchObject({
      kind: 'elicitation',
      title: 'git asks: Which branch?',
      request: {
        server: 'git',
        tool: 'push',
        mode: 'form',
        message: 'Which branch?',
        text: '{\n  "branch": "main"\n}',
      },
    });
    expect(approval?.step).toMatch(/^task\[1\]\/try\[0\]\/turn\[0\]\/tool\[0\]\/ask\[[0-9a-f]{12}\.0\]$/u);
    expect(first?.steps).toMatchObject([{ key: approval?.step, kind: 'approval' }]);
    expect(first?.events).toMatchObject([{ type: 'approval.requested', approval: approval?.id }]);
    expect(second?.steps).toMatchObject([{ key: `${approval?.step}/answer`, output: { action: 'accept' } }]);
  });

  it.each([
    [
      { ...APPROVE, edited: '{"branch":"next"}' },
      { action: 'accept', content: { branch: 'next' } },
    ],
    [
      { ...APPROVE, edited: { branch: 'next' } },
      { action: 'accept', content: { branch: 'next' } },
    ],
    [{ ...APPROVE, edited: '{"branch":7}' }, { action: 'cancel' }],
    [{ ...APPROVE, decision: 'deny' as const }, { action: 'decline' }],
  ])('[E6.elicitation] that %j decides gives %j', async (answer, expected) => {
    const { drive } = await open();
    expect(await openQuestions(drive, desk(answer), CALL)(QUESTION, never)).toEqual(expected);
  });

  it('[E6.elicitation] that nobody answers in time is cancelled and expires', async () => {
    const { drive, units, rig } = await open({ asleep: false });
    const people = desk(undefined, 5_000);
    expect(await openQuestions(drive, people, CALL)(QUESTION, never)).toEqual({ action: 'cancel' });
    expect(rig.clock.slept[0]).toBeGreaterThan(4_900);
    const [approval] = units[0]?.approvals ?? [];
    expect(units[1]).toMatchObject({
      expired: [approval?.id],
      events: [{ type: 'approval.decided', status: 'expired' }],
      steps: [{ output: { action: 'cancel' } }],
    });
    expect(people.waiting.size).toBe(0);
  });

  it('[E6.elicitation] that is answered in the last moment is answered', async () => {
    const { drive } = await open({ asleep: false });
    const people = desk(undefined, 5_000);
    const commit: Drive['commit'] = async (unit) => {
      if (unit.expired === undefined) return drive.commit(unit);
      // The store has the decision already, and this process hears of it a moment later.
      setImmediate(() => people.waiting.get(unit.expired?.[0] ?? '')?.(APPROVE));
      throw new CloutError('SIGNALLED', 'decided already');
    };
    const ask = openQuestions({ ...drive, commit }, people, CALL);
    expect(await ask(QUESTION, never)).toEqual({ action: 'accept', content: { branch: 'main' } });
  });

  it('[E6.elicitation] that the server takes back is closed', async () => {
    const { drive, units } = await open();
    const people = desk();
    const taken = new AbortController();
    const answer = openQuestions(drive, people, CALL)(QUESTION, taken.signal);
    await expect.poll(() => units.length).toBe(1);
    taken.abort();
    expect(await answer).toEqual({ action: 'cancel' });
    expect(units[1]?.expired).toHaveLength(1);
  });

  it('[E6.elicitation] stays open where the run stops, and is the same when it goes on', async () => {
    const { rig, drive, units } = await open();
    const stop = new AbortController();
    const stopping = openQuestions({ ...drive, signal: stop.signal }, desk(), CALL)(QUESTION, never);
    await expect.poll(() => units.length).toBe(1);
    stop.abort('stopping');
    await stopping;
    expect(units).toHaveLength(1);

    const people = desk(APPROVE);
    const again = { ...(await rig.drive()), clock: drive.clock };
    expect(await openQuestions(again, people, CALL)(QUESTION, never)).toMatchObject({ action: 'accept' });
    const asked = [...rig.journal.state('run_1').steps.values()].filter(({ kind }) => kind === 'approval');
    expect(asked).toHaveLength(1);

    // Once answered it asks nobody, also where nobody would answer.
    const third = { ...(await rig.drive()), clock: drive.clock };
    expect(await openQuestions(third, desk(), CALL)(QUESTION, never)).toMatchObject({ action: 'accept' });
  });

  it('[E6.elicitation] may be asked twice in a call, and below a place its approval stands there too', async () => {
    const { drive, units } = await open();
    const ask = openQuestions(driveBelow(drive, 'node/try[0]'), desk(APPROVE), CALL);
    await ask(QUESTION, never);
    await ask(QUESTION, never);
    const asked = units.flatMap(({ approvals = [] }) => approvals.map(({ step }) => step));
    expect(asked.map((step) => step.slice(-3))).toEqual(['.0]', '.1]']);
    expect(asked.every((step) => step.startsWith('node/try[0]/task[1]/'))).toBe(true);
    expect(units[0]?.steps?.[0]?.key).toBe(asked[0]);
  });
});
