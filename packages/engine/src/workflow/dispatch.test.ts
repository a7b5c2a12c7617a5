import { describe, expect, it } from 'vitest';
import { openDispatch } from './dispatch.ts';

/** Jobs that run until they are told to end. */
const bench = (limits: { total: number; perProject: number }) => {
  const dispatch = openDispatch(limits);
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const submit = (runId: string, projectId = 'p'): void =>
    dispatch.submit({
      runId,
      projectId,
      drive: () => {
        started.push(runId);
        return new Promise<void>((resolve) => ends.set(runId, resolve));
      },
    });
  const end = async (runId: string): Promise<void> => {
    ends.get(runId)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { dispatch, started, submit, end };
};

describe('dispatch', () => {
  it('[E13.concurrent] starts no more than its limit, and the rest in the order in which they came', async () => {
    const { dispatch, started, submit, end } = bench({ total: 2, perProject: 10 });
    for (const id of ['a', 'b', 'c', 'd']) submit(id);
    expect(started).toEqual(['a', 'b']);
    expect(['a', 'c', 'd'].map((id) => dispatch.position(id))).toEqual([undefined, 0, 1]);
    await end('a');
    expect(started).toEqual(['a', 'b', 'c']);
    expect(dispatch.position('d')).toBe(0);
  });

  it('lets projects take turns, and gives none more than its share', async () => {
    const { started, submit, end } = bench({ total: 3, perProject: 2 });
    for (let n = 0; n < 5; n += 1) submit(`big${n}`, 'big');
    submit('small0', 'small');
    submit('small1', 'small');
    expect(started).toEqual(['big0', 'big1', 'small0']);
    await end('big0');
    await end('big1');
    await end('small0');
    expect(started).toEqual(['big0', 'big1', 'small0', 'big2', 'small1', 'big3']);
  });

  it('takes a run out of the queue, and knows a second submission', async () => {
    const { dispatch, started, submit, end } = bench({ total: 1, perProject: 1 });
    for (const id of ['a', 'b', 'b', 'c']) submit(id);
    expect([dispatch.withdraw('b'), dispatch.withdraw('b'), dispatch.withdraw('a')]).toEqual([true, false, false]);
    await end('a');
    await end('c');
    expect(started).toEqual(['a', 'c']);
  });

  it('frees the slot of a run that fails', async () => {
    const dispatch = openDispatch({ total: 1, perProject: 1 });
    const started: string[] = [];
    const job = (runId: string) => ({
      runId,
      projectId: 'p',
      drive: async () => {
        started.push(runId);
        throw new Error('no');
      },
    });
    dispatch.submit(job('a'));
    dispatch.submit(job('b'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(started).toEqual(['a', 'b']);
  });
});
