import { ClaudeSDKError, CloutError, type StreamChunk } from '@cloutagent/contract';
import { systemClock } from '@cloutagent/kit';
import { describe, expect, it } from 'vitest';
import { say, use, type ScriptedAnswer } from '../model/port.fake.ts';
import { ModelCallError } from '../model/port.ts';
import { collect, CONFIG, openAgentRig, SERVER } from './agents.fake.ts';
import { textResult, toolOf } from './tool-port.fake.ts';

const READ = 'mcp__filesystem__read_file';
const AGENT = { id: CONFIG.id };
const WITH_TOOLS = { ...CONFIG, mcpServers: [SERVER] };
const tools = [toolOf('read_file', { readOnlyHint: true }), toolOf('write_file'), toolOf('delete')];
const readThenSay = (_request: unknown, nth: number): ScriptedAnswer =>
  nth === 0 ? use('toolu_1', READ, { path: '/tmp/test.txt' }) : say('It says hello.');
const thrown = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );
const kinds = (chunks: readonly StreamChunk[]): string[] => chunks.map(({ type }) => type);

describe('[E2.failures] failures of a run are results', () => {
  it('[E11.categories] with a category and a message for the user', async () => {
    const { agents } = openAgentRig(() => {
      throw new ModelCallError('MODEL_REQUEST_REFUSED', 'Bad', { billing: 'none', retryable: false });
    });
    await agents.createAgent(CONFIG);
    expect(await agents.executeAgent(AGENT, 'Hi')).toMatchObject({
      status: 'failed',
      error: 'Bad',
      errorCode: 'MODEL_REQUEST_REFUSED',
      errorCategory: 'user_error',
      userMessage: 'The model service refused this request. Please check the agent and its input.',
    });
  });

  it('[E7.max-iterations] with the text so far, after five turns unless it says otherwise', async () => {
    const rig = openAgentRig(
      (_request, nth) => ({
        content: [
          { type: 'text', text: `Turn ${nth}` },
          { type: 'tool_use', id: `t${nth}`, name: READ, input: { path: 'a' } },
        ],
        stopReason: 'tool_use',
      }),
      { tools },
    );
    await rig.agents.createAgent(WITH_TOOLS);
    const result = await rig.agents.executeAgent(AGENT, 'Loop');
    expect(result).toMatchObject({ status: 'failed', errorCode: 'MAX_ITERATIONS', result: 'Turn 4' });
    expect(result.toolCalls).toHaveLength(5);
    await rig.agents.executeAgent(AGENT, 'Loop', { maxIterations: 2 });
    expect(rig.model.calls).toHaveLength(7);
  });

  it('with the status timeout after the time, and cancelled by the signal', async () => {
    const { agents } = openAgentRig(() => 'hang');
    await agents.createAgent(CONFIG);
    expect(await agents.executeAgent(AGENT, 'Hi', { timeout: 30 })).toMatchObject({
      status: 'timeout',
      errorCode: 'REQUEST_TIMEOUT',
    });
    const controller = new AbortController();
    const running = agents.executeAgent(AGENT, 'Hi', { signal: controller.signal });
    await systemClock.sleep(20);
    controller.abort();
    expect(await running).toMatchObject({ status: 'failed', errorCode: 'CANCELLED' });
  });

  it('[E11.partial] while a lost server or a failing tool is told to the agent, which goes on', async () => {
    const rig = openAgentRig(
      (request, nth) =>
        nth < 2
          ? use(`t${nth}`, nth === 0 ? READ : 'mcp__filesystem__write_file', {})
          : say(JSON.stringify(request.messages)),
      {
        tools,
        body: ({ tool }) => {
          if (tool === 'read_file') throw new CloutError('MCP_CONNECTION_FAILED', 'gone');
          throw new Error('secret details');
        },
      },
    );
    await rig.agents.createAgent(WITH_TOOLS);
    const result = await rig.agents.executeAgent(AGENT, 'Go');
    expect(result).toMatchObject({
      status: 'completed',
      toolCalls: [
        { name: 'read_file', server: 'filesystem', success: false },
        { name: 'write_file', success: false, error: 'The call failed: the tool failed' },
      ],
    });
    expect(result.toolCalls?.[0]?.error).toContain('not known whether it took effect');
    expect(JSON.stringify(result)).not.toContain('secret details');
  });

  it('but bad configuration and a missing key are thrown', async () => {
    const { agents } = openAgentRig(() => say('Hi'));
    for (const bad of [
      { maxTokens: 0 },
      { id: '' },
      { surprise: 1 },
      { mcpServers: [{ id: 'a', name: 'a' }] },
    ] as object[]) {
      const error = await thrown(agents.createAgent({ ...CONFIG, ...bad }));
      expect(error).toBeInstanceOf(ClaudeSDKError);
      expect(error).toMatchObject({ code: 'INVALID_INPUT' });
    }
    const keyless = openAgentRig(() => say('Hi'), {
      deps: {
        model: () => {
          throw new CloutError('MODEL_KEY_MISSING', 'No key');
        },
      },
    });
    const error = await thrown(keyless.agents.createAgent(CONFIG));
    expect(error).toBeInstanceOf(ClaudeSDKError);
    expect(error).toMatchObject({ code: 'MODEL_KEY_MISSING' });
  });
});

describe('[E4.chunks] a stream', () => {
  it('carries content, tools, usage and one done at the end', async () => {
    const { agents } = openAgentRig(readThenSay, { tools, body: () => textResult('hello') });
    await agents.createAgent(WITH_TOOLS);
    const chunks = await collect(agents, 'Read the file');
    expect(kinds(chunks)).toEqual(['usage', 'usage', 'tool_call', 'tool_result', 'usage', 'content', 'usage', 'done']);
    expect(chunks[2]).toEqual({
      type: 'tool_call',
      toolCall: { id: 'toolu_1', name: 'read_file', server: 'filesystem', input: { path: '/tmp/test.txt' } },
    });
    expect(chunks[3]).toMatchObject({ toolResult: { name: 'read_file', output: 'hello', success: true } });
    expect(chunks.at(-1)).toMatchObject({
      result: { status: 'completed', result: 'It says hello.', conversationId: /^cnv/u },
    });
  });

  it('tells that a call is made again, how much text no longer counts, and the error before done', async () => {
    const broken = new ModelCallError('MODEL_UNAVAILABLE', 'Broke off', { billing: 'unknown', retryable: true });
    const { agents } = openAgentRig(() => say('Hello'), {
      wrap: (model) => ({
        ...model,
        async *stream(request, call) {
          for await (const event of model.stream(request, call)) {
            if (event.type === 'end') throw broken;
            yield event;
          }
        },
      }),
    });
    await agents.createAgent(CONFIG);
    const chunks = await collect(agents, 'Hi');
    expect(chunks.filter(({ type }) => type === 'retry')).toMatchObject([
      { attempt: 2, discarded: 5, code: 'MODEL_UNAVAILABLE' },
      { attempt: 3, discarded: 5 },
      { attempt: 4, discarded: 5 },
    ]);
    expect(kinds(chunks).slice(-2)).toEqual(['error', 'done']);
    const done = chunks.at(-1);
    // Four bounds: nobody knows what was billed.
    expect(done?.type === 'done' ? done.result.cost.totalCost : 0).toBeGreaterThan(4 * 1024 * 0.00001);
  });

  it('[E13.concurrent] says who waits in line, and holds no more at once than it may', async () => {
    let now = 0;
    let most = 0;
    const { agents } = openAgentRig(() => say('Hi'), {
      deps: { maxConcurrent: 2 },
      wrap: (model) => ({
        ...model,
        async *stream(request, call) {
          now += 1;
          most = Math.max(most, now);
          try {
            await systemClock.sleep(5);
            yield* model.stream(request, call);
          } finally {
            now -= 1;
          }
        },
      }),
    });
    await agents.createAgent(CONFIG);
    const streams = await Promise.all(Array.from({ length: 7 }, () => collect(agents, 'Hi')));
    expect(most).toBe(2);
    expect(streams.map((chunks) => (chunks[0]?.type === 'waiting' ? chunks[0].position : 0))).toEqual([
      0, 0, 1, 2, 3, 4, 5,
    ]);
  });

  it('[E4.backpressure] waits for its reader, and ends when the reader fails', async () => {
    let written = 0;
    const { agents } = openAgentRig(() => say('x'), {
      wrap: (model) => ({
        ...model,
        async *stream(request, call) {
          for await (const event of model.stream(request, call)) {
            if (event.type === 'text') {
              for (; written < 1000; written += 1) yield event;
              call.signal.throwIfAborted();
            } else yield event;
          }
        },
      }),
    });
    await agents.createAgent(CONFIG);
    let seen = 0;
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const running = agents.streamExecution(AGENT, 'Hi', async ({ type }) => {
      if (type === 'content') seen += 1;
      if (seen === 10) await held;
    });
    await systemClock.sleep(50);
    expect([seen, written]).toEqual([10, 9]);
    release();
    expect(await running).toMatchObject({ status: 'completed' });
    const failing = agents.streamExecution(AGENT, 'Hi', () => Promise.reject(new Error('the reader has gone')));
    expect(await failing).toMatchObject({ status: 'failed', errorCode: 'CANCELLED' });
  });

  it('carries thinking, and structured answers as values', async () => {
    const { agents } = openAgentRig(() => say('{"answer":4}'), {
      wrap: (model) => ({
        ...model,
        async *stream(request, call) {
          yield { type: 'thinking', text: 'Two and two' };
          yield* model.stream(request, call);
        },
      }),
    });
    await agents.createAgent({ ...CONFIG, outputSchema: { type: 'object' } });
    const chunks = await collect(agents, 'What is 2+2?');
    expect(chunks[0]).toEqual({ type: 'thinking', content: 'Two and two' });
    expect(chunks.at(-1)).toMatchObject({ result: { structured: { answer: 4 } } });
  });
});
