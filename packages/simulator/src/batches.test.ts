import Anthropic from '@anthropic-ai/sdk';
import { systemClock } from '@cloutagent/kit';
import { describe, expect, it } from 'vitest';
import { startSimulator, type SimulatorOptions } from './server.ts';

const start = async (options: Partial<SimulatorOptions> = {}) => {
  const simulator = await startSimulator({ port: 0, host: '127.0.0.1', ...options });
  const { batches } = new Anthropic({ baseURL: simulator.url, apiKey: 'any', maxRetries: 0 }).messages;
  const ended = async (id: string): Promise<Anthropic.Messages.Batches.MessageBatch> => {
    for (;;) {
      const batch = await batches.retrieve(id);
      if (batch.processing_status === 'ended') return batch;
      await systemClock.sleep(20);
    }
  };
  return { ...simulator, batches, ended, [Symbol.asyncDispose]: () => simulator.close() };
};

const request = (customId: string, model = 'claude-haiku-5-5') => ({
  custom_id: customId,
  params: { model, max_tokens: 50, messages: [{ role: 'user' as const, content: 'hello' }] },
});

describe('[X7.http] a batch', () => {
  it('is answered request by request, at the price of batches, and can be deleted', async () => {
    await using running = await start();
    const made = await running.batches.create({ requests: [request('a'), request('b', 'claude-2')] });
    expect(made).toMatchObject({ type: 'message_batch', results_url: null });
    const batch = await running.ended(made.id);
    expect(batch.request_counts).toMatchObject({ processing: 0, succeeded: 1, errored: 1 });
    const results = [];
    for await (const line of await running.batches.results(made.id)) results.push(line);
    expect(results).toMatchObject([
      { custom_id: 'a', result: { type: 'succeeded', message: { usage: { service_tier: 'batch' } } } },
      { custom_id: 'b', result: { type: 'errored', error: { error: { type: 'not_found_error' } } } },
    ]);
    const listed = await running.batches.list();
    expect(listed.data.map(({ id }) => id)).toEqual([made.id]);
    expect(await running.batches.delete(made.id)).toMatchObject({ type: 'message_batch_deleted' });
    await expect(running.batches.retrieve(made.id)).rejects.toMatchObject({ status: 404 });
  });

  it('that is cancelled leaves the rest', async () => {
    await using running = await start({ firstTokenMs: 300 });
    const made = await running.batches.create({ requests: [request('a'), request('b'), request('c')] });
    await expect(running.batches.delete(made.id)).rejects.toMatchObject({ status: 400 });
    expect(await running.batches.cancel(made.id)).toMatchObject({ processing_status: 'canceling' });
    expect((await running.ended(made.id)).request_counts).toMatchObject({ succeeded: 1, canceled: 2 });
  });

  it.each([
    [[], 'List should have'],
    [[request('a'), request('a')], 'must be unique'],
    [[request('no spaces')], 'custom_id: String should match'],
  ])('of %j is refused', async (requests, message) => {
    await using running = await start();
    await expect(running.batches.create({ requests })).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining(message) as unknown,
    });
  });
});
