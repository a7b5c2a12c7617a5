import Anthropic, { APIError } from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { parseScenario } from './parse-scenario.ts';
import { startSimulator, type SimulatorOptions } from './server.ts';

const TEXT = 'one two three four five six seven eight nine ten';
const BODY = { model: 'claude-sonnet-5-5', max_tokens: 200, messages: [{ role: 'user' as const, content: 'hello' }] };

const start = async (options: Partial<SimulatorOptions> = {}) => {
  const scenario = parseScenario({
    format: 1,
    rules: [{ when: { times: 1 }, answer: { text: `first ${TEXT}` } }, { answer: { text: TEXT } }],
  });
  const simulator = await startSimulator({ port: 0, host: '127.0.0.1', scenario, ...options });
  const client = new Anthropic({ baseURL: simulator.url, apiKey: 'secret-key', maxRetries: 0 });
  const control = async (method: string, path: string) => {
    const response = await fetch(`${simulator.url}/simulator/${path}`, { method });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  /** What one request meets: its status or text, or how its stream ended. */
  const meet = async (fault: string | undefined, stream = false, patienceMs = 10_000): Promise<string> => {
    const signal = AbortSignal.timeout(patienceMs);
    const options = { signal, ...(fault === undefined ? {} : { headers: { 'x-cloutagent-fault': fault } }) };
    let deltas = 0;
    let end = 'cut';
    try {
      if (!stream) {
        const { content } = await client.messages.create(BODY, options);
        return content[0]?.type === 'text' ? content[0].text : '';
      }
      for await (const event of await client.messages.create({ ...BODY, stream: true }, options)) {
        if (event.type === 'content_block_delta') deltas += 1;
        if (event.type === 'message_stop') end = 'done';
      }
      return `${deltas} ${signal.aborted ? 'aborted' : end}`;
    } catch (error) {
      if (signal.aborted) return `${deltas} aborted`;
      if (!(error instanceof APIError)) return `${deltas} ${error instanceof Error ? error.constructor.name : ''}`;
      const { status, type, errorCode } = error;
      const headers: unknown = error.headers;
      const retryAfter = headers instanceof Headers ? (headers.get('retry-after') ?? '') : '';
      return `${deltas} ${status} ${type ?? ''} ${retryAfter} ${errorCode ?? ''}`.trim();
    }
  };
  return { ...simulator, client, control, meet, [Symbol.asyncDispose]: () => simulator.close() };
};

describe('[X7.faults] a fault by header', () => {
  it.each<readonly [string, boolean, string]>([
    ['429', false, '0 429 rate_limit_error'],
    ['429; retry-after=2', false, '0 429 rate_limit_error 2'],
    ['spend-cap', false, '0 429 rate_limit_error  enforced_spend_limit_reached'],
    ['529', true, '0 529 overloaded_error'],
    ['500; type=api_error; message=Broken {{here}}', false, '0 500 api_error'],
    ['401', false, '0 401 authentication_error'],
    ['503; error-code=maintenance', false, '0 503 api_error  maintenance'],
    ['drop', false, '0 undefined'],
    ['drop', true, '0 undefined'],
    ['drop; after=2', true, '2 TypeError'],
    ['truncate; after=2', true, '2 cut'],
    ['midstream-error', true, '1 undefined overloaded_error'],
    ['midstream-error; after=2; status=500', true, '2 undefined api_error'],
    ['broken-json', false, '0 SyntaxError'],
    ['broken-json; after=2', true, '2 SyntaxError'],
  ])('%s (stream: %s) is what the SDK meets', async (fault, stream, expected) => {
    await using running = await start();
    expect(await running.meet(fault, stream)).toBe(expected);
    expect(await running.meet(undefined)).toContain(TEXT);
  });

  it.each<readonly [string, boolean, string]>([
    ['stall; after=2', true, '2 aborted'],
    ['stall', false, '0 aborted'],
    ['slow-headers; ms=60000', true, '0 aborted'],
    ['slow-first-token; ms=60000', true, '0 aborted'],
    ['slow-tokens; ms=60000', true, '0 aborted'],
  ])('%s (stream: %s) lasts until the client leaves', async (fault, stream, expected) => {
    await using running = await start();
    expect(await running.meet(fault, stream, 300)).toBe(expected);
  });

  it('sends the headers of a slow first token at once, and those of slow headers late', async () => {
    await using running = await start();
    const head = (fault: string): Promise<number> =>
      fetch(`${running.url}/v1/messages`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-api-key': 'k',
          'anthropic-version': '2026-10-21',
          'x-cloutagent-fault': fault,
        },
        body: JSON.stringify({ ...BODY, stream: true }),
        signal: AbortSignal.timeout(500),
      }).then(
        ({ status }) => status,
        () => 0,
      );
    expect(await head('slow-first-token; ms=60000')).toBe(200);
    expect(await head('slow-headers; ms=60000')).toBe(0);
  });

  it.each(['nonsense', '399', '600', 'stall; after=x', 'constructor'])(
    '%s is refused with the known ones',
    async (fault) => {
      await using running = await start();
      expect(await running.meet(fault)).toBe('0 400 invalid_request_error');
    },
  );
});

describe('[X7.faults] an armed fault', () => {
  it('meets as many requests as it was told, in order, and uses no rule of the scenario up', async () => {
    await using running = await start();
    await running.control('POST', 'faults?fault=529&times=2');
    await running.control('POST', 'faults?fault=429%3B+retry-after%3D1');
    expect([await running.meet(undefined), await running.meet(undefined), await running.meet(undefined)]).toEqual([
      '0 529 overloaded_error',
      '0 529 overloaded_error',
      '0 429 rate_limit_error 1',
    ]);
    expect(await running.meet(undefined)).toBe(`first ${TEXT}`);
  });

  it('lets some pass, looks at the model, is listed and can be taken back', async () => {
    await using running = await start();
    const armed = await running.control('POST', 'faults?fault=500&skip=1&model=claude-sonnet-5-5');
    expect(armed.body).toMatchObject({ fault: '500', left: 1, skip: 1, path: '/v1/messages' });
    await running.control('POST', 'faults?fault=500&model=claude-opus-5-5');
    expect(await running.meet(undefined)).toContain(TEXT);
    expect(await running.meet(undefined)).toBe('0 500 api_error');
    expect((await running.control('GET', 'faults')).body).toMatchObject({ faults: [{ model: 'claude-opus-5-5' }] });
    expect((await running.control('DELETE', 'faults')).body).toEqual({ faults: [] });
    expect((await running.control('GET', 'faults')).body).toEqual({ faults: [] });
  });

  it.each(['faults', 'faults?fault=nonsense', 'faults?fault=500&times=0', 'faults?fault=500&times=x'])(
    'that cannot be (%s) is refused in the shape of the API',
    async (path) => {
      await using running = await start();
      expect(await running.control('POST', path)).toMatchObject({
        status: 400,
        body: { type: 'error', error: { type: 'invalid_request_error' } },
      });
    },
  );
});

describe('[X7.recorded] the recorded requests', () => {
  it('are what was sent and what became of it, without keys', async () => {
    await using running = await start();
    await running.meet(undefined);
    await running.meet('429', true);
    await running.client.messages.countTokens({ model: BODY.model, messages: BODY.messages });
    const { body } = await running.control('GET', 'requests');
    expect(body['requests']).toMatchObject([
      { seq: 1, method: 'POST', path: '/v1/messages', status: 200, stream: false, rule: 0, body: BODY },
      { seq: 2, status: 429, stream: true, error: { type: 'rate_limit_error' } },
      { seq: 3, path: '/v1/messages/count_tokens', status: 200 },
    ]);
    const [first] = body['requests'] as { headers: Record<string, string> }[];
    expect(first?.headers).toMatchObject({ 'anthropic-version': '2026-10-21', authorization: '(hidden)' });
    expect(JSON.stringify(body)).not.toContain('secret-key');
    const seqs = async (query: string): Promise<unknown> =>
      ((await running.control('GET', `requests?${query}`)).body['requests'] as { seq: number }[]).map(({ seq }) => seq);
    expect(await seqs('status=429')).toEqual([2]);
    expect(await seqs('path=/v1/messages')).toEqual([1, 2]);
    expect(await seqs('after=1&limit=1')).toEqual([3]);
    expect(await seqs('model=other')).toEqual([]);
    const lean = await running.control('GET', 'requests?bodies=false');
    expect((lean.body['requests'] as object[]).some((request) => 'body' in request)).toBe(false);
    await running.control('DELETE', 'requests');
    expect(await seqs('limit=9')).toEqual([]);
    await running.meet(undefined);
    expect(await seqs('limit=9')).toEqual([4]);
  });

  it('are the latest ones, or none', async () => {
    await using few = await start({ recorded: 2 });
    for (let count = 0; count < 7; count += 1) await few.meet(undefined);
    expect((await few.control('GET', 'requests')).body['requests']).toMatchObject([{ seq: 6 }, { seq: 7 }]);
    await using none = await start({ recorded: 0 });
    await none.meet(undefined);
    expect((await none.control('GET', 'requests')).body['requests']).toEqual([]);
  });
});
