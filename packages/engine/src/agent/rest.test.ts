import { describe, expect, it } from 'vitest';
import { ModelCallError } from '../model/port.ts';
import { openRig, RUN_LEVEL } from '../workflow/drive.fake.ts';
import { openConversation, toPrefix, withUser } from './conversation.ts';
import { modelStep } from './step-model.ts';

const conversation = withUser(openConversation(toPrefix('claude-sonnet-5-5', 'You work.', [])), 'Hello');
const step = { key: 'task[1]/try[0]/turn[0]', conversation, allowance: 0, cutAt: undefined };
const busy = (retryAfterMs: number): ModelCallError =>
  new ModelCallError('MODEL_UNAVAILABLE', 'Overloaded', { billing: 'none', retryable: true, retryAfterMs });
const caught = async (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'no error',
    (error: unknown) => error,
  );

describe('a call that the server asks to wait for', () => {
  it('[E3.retry] [D7] rests where its run can, over the end of its driver, and not for ever', async () => {
    const rig = await openRig({
      script: () => {
        throw busy(3_600_000);
      },
    });
    const asked: (readonly [string, number])[] = [];
    /** Drives until the process is gone: a rest never comes back to the driver that began it. */
    const driveOnce = async (): Promise<unknown> => {
      const drive = await rig.drive();
      const rest = async (key: string, until: number): Promise<void> => {
        if (until <= drive.clock.now()) return;
        asked.push([key, until - drive.clock.now()]);
        throw new Error('put away');
      };
      return caught(modelStep({ ...drive, rest }, rig.use, step));
    };
    expect(await driveOnce()).toMatchObject({ message: 'put away' });
    expect(asked[0]?.[0]).toBe(`${step.key}/rest[0]/wait`);
    expect(asked[0]?.[1]).toBeGreaterThan(3_599_900);
    expect(rig.events.map(({ body }) => body.type).slice(-3)).toEqual(['model.retry', 'wait.started', 'money']);
    expect(rig.events.find(({ body }) => body.type === 'model.retry')?.body).toMatchObject({ delayMs: 3_600_000 });
    // Too early: nothing is asked, and it rests on until the same time.
    await rig.clock.sleep(1_800_000);
    expect(await driveOnce()).toMatchObject({ message: 'put away' });
    expect(asked[1]?.[1]).toBeLessThan(1_800_000);
    expect(rig.model.calls).toHaveLength(1);
    for (let nth = 1; nth <= 5; nth += 1) {
      await rig.clock.sleep(3_600_000);
      expect(await driveOnce()).toMatchObject(
        nth < 5
          ? { message: 'put away' }
          : { code: 'MODEL_UNAVAILABLE', message: 'Overloaded; it asks to wait for 3600 s' },
      );
      expect(rig.model.calls).toHaveLength(nth + 1);
    }
    expect(await rig.journal.budgets([RUN_LEVEL])).toMatchObject([{ spentNanoUsd: 0, heldNanoUsd: 0 }]);
  });

  it('[E3.retry] does not rest for more than a day', async () => {
    const rig = await openRig({
      script: () => {
        throw busy(25 * 3_600_000);
      },
    });
    const drive = { ...(await rig.drive()), rest: () => Promise.reject(new Error('it rests')) };
    expect(await caught(modelStep(drive, rig.use, step))).toMatchObject({ code: 'MODEL_UNAVAILABLE' });
  });
});
