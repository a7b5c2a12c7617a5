import { systemClock } from '@cloutagent/kit';
import { describe, expect, it } from 'vitest';
import { guardModel } from './guard.ts';
import { openFakeModel, say } from './port.fake.ts';
import { ModelCallError, type ModelPort } from './port.ts';

const failed = (
  fields: Partial<ConstructorParameters<typeof ModelCallError>[2]>,
  code = 'MODEL_UNAVAILABLE' as const,
) => new ModelCallError(code, 'No', { billing: 'none', retryable: true, ...fields });

const rig = () => {
  let now = 0;
  let next: ModelCallError | undefined;
  const fake = openFakeModel(() => {
    if (next !== undefined) throw next;
    return say('Hi');
  });
  const port = guardModel(fake, { ...systemClock, monotonic: () => now });
  const ask = async (model = 'm', signal = new AbortController().signal): Promise<string> => {
    try {
      let last = '';
      const request = { model, system: '', messages: [], tools: [], maxTokens: 1 };
      for await (const event of port.stream(request, { signal, idempotencyKey: 'k' })) last = event.type;
      return last;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  return {
    fake,
    port: port as Required<Pick<ModelPort, 'mayRepeat'>> & ModelPort,
    ask,
    answer: (error?: ModelCallError) => (next = error),
    pass: (ms: number) => (now += ms),
  };
};

describe('[E11.breaker] [D8] calls of a model that is down', () => {
  it('pause after five outages in a row, for a minute, without being sent', async () => {
    const { ask, answer, pass, fake } = rig();
    answer(failed({ outage: true }));
    for (let call = 0; call < 5; call += 1) expect(await ask()).toBe('No');
    expect(await ask()).toBe('m failed 5 times in a row; calls to it pause for 60 s');
    expect(fake.calls).toHaveLength(5);
    pass(60_000);
    answer();
    expect(await ask()).toBe('end');
    expect(await ask()).toBe('end');
  });

  it('[M17] come back with one probe of 1,000', async () => {
    const { ask, answer, pass, fake } = rig();
    answer(failed({ outage: true }));
    for (let call = 0; call < 5; call += 1) await ask();
    pass(60_000);
    const answers = await Promise.all(Array.from({ length: 1000 }, () => ask()));
    expect(fake.calls).toHaveLength(6);
    expect(answers.filter((text) => text === 'No')).toHaveLength(1);
  });

  it('are counted for each model apart', async () => {
    const { ask, answer } = rig();
    answer(failed({ outage: true }));
    for (let call = 0; call < 5; call += 1) await ask('one');
    expect(await ask('one')).toContain('pause');
    expect(await ask('other')).toBe('No');
  });

  it.each([
    ['a 429', failed({})],
    ['a 400', failed({ retryable: false }, 'MODEL_REQUEST_REFUSED' as never)],
    ['a refused key', failed({ retryable: false }, 'MODEL_KEY_MISSING' as never)],
  ])('[C4.client-errors] do not pause for %s', async (_what, error) => {
    const { ask, answer, fake } = rig();
    answer(error);
    for (let call = 0; call < 20; call += 1) await ask();
    expect(fake.calls).toHaveLength(20);
  });

  it('do not pause because callers gave up', async () => {
    const { ask, answer, fake } = rig();
    answer(failed({ outage: true }));
    for (let call = 0; call < 20; call += 1) await ask('m', AbortSignal.abort());
    expect(fake.calls).toHaveLength(20);
  });

  it('repeat no more than the budget of all calls allows', async () => {
    const { port, ask, pass } = rig();
    const takeAll = (): number => {
      let taken = 0;
      while (port.mayRepeat()) taken += 1;
      return taken;
    };
    expect(takeAll()).toBe(10);
    for (let call = 0; call < 100; call += 1) await ask();
    expect(takeAll()).toBeLessThanOrEqual(9);
    pass(6000);
    expect(takeAll()).toBe(1);
  });
});
