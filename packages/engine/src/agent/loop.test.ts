import { describe, expect, it } from 'vitest';
import { say, use, type Script, type ScriptedAnswer } from '../model/port.fake.ts';
import { openRig, type Rig } from '../workflow/drive.fake.ts';
import { openConversation, toPrefix, withUser } from './conversation.ts';
import { runAgent, type AgentEnd } from './loop.ts';
import { toDefinitions } from './tool-port.ts';
import { openFakeTools, textResult, toolOf, type FakeTools } from './tool-port.fake.ts';

const LOOK = 'mcp__filesystem__look';
const PUT = 'mcp__filesystem__put';
const toolsOf = (body: Parameters<typeof openFakeTools>[1] = () => textResult('Done')): FakeTools =>
  openFakeTools([toolOf('put', { idempotentHint: true }), toolOf('look', { readOnlyHint: true })], body);

const run = async (rig: Rig, tools = toolsOf(), maxIterations = 10): Promise<AgentEnd> => {
  const prefix = toPrefix('claude-sonnet-5-5', 'You work.', toDefinitions(tools.tools()));
  const conversation = withUser(openConversation(prefix), 'Task 1: Do it');
  return runAgent(await rig.drive(), rig.use, tools, { prefix: 'task[1]/try[0]', conversation, maxIterations });
};
const script =
  (...answers: ScriptedAnswer[]): Script =>
  (_request, nth) =>
    answers[nth] ?? say('Nothing more');
const stopped = (stopReason: string, text = 'Hm'): ScriptedAnswer => ({
  content: text === '' ? [] : [{ type: 'text', text }],
  stopReason,
});
const keys = (rig: Rig): string[] => [...rig.journal.state('run_1').steps.keys()];

describe('[E7.turns] the loop', () => {
  it('[E7.several E7.sorted] runs the tools of a turn and answers all of them in one message', async () => {
    const both: ScriptedAnswer = {
      content: [
        { type: 'thinking', thinking: 'Hm', signature: 'c2ln' },
        { type: 'text', text: 'I look.' },
        { type: 'tool_use', id: 't1', name: LOOK, input: { path: '/' } },
        { type: 'tool_use', id: 't2', name: PUT, input: { path: '/a' } },
        { type: 'hologram', z: 1 },
      ],
      stopReason: 'tool_use',
    };
    const rig = await openRig({ script: script(both, say('Done it')) });
    const tools = toolsOf(({ tool }) => (tool === 'look' ? textResult('[FILE] a') : textResult('EACCES', true)));
    const end = await run(rig, tools);
    expect(end).toMatchObject({ failure: null, text: 'Done it', failedTools: ['filesystem:put'] });
    expect(tools.calls.map(({ tool }) => tool)).toEqual(['look', 'put']);
    expect(keys(rig)).toEqual([
      'task[1]/try[0]/turn[0]',
      'task[1]/try[0]/turn[0]/tool[0]',
      'task[1]/try[0]/turn[0]/tool[1]',
      'task[1]/try[0]/turn[1]',
    ]);
    const [first, second] = rig.model.calls.map((call) => call.request);
    expect(first?.tools.map(({ name }) => name)).toEqual([LOOK, PUT]);
    expect(second).toMatchObject({ system: first?.system, tools: first?.tools });
    // Verbatim: thoughts, signatures and blocks of kinds that nobody knows.
    expect(second?.messages).toEqual([
      { role: 'user', content: 'Task 1: Do it' },
      { role: 'assistant', content: both.content },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: '[FILE] a' }] },
          { type: 'tool_result', tool_use_id: 't2', content: [{ type: 'text', text: 'EACCES' }], is_error: true },
        ],
      },
    ]);
  });

  it('[E7.failed-call] forgets the failure of a tool that succeeds later', async () => {
    const rig = await openRig({ script: script(use('t1', PUT, {}), use('t2', PUT, {}), say('Ok')) });
    let calls = 0;
    const end = await run(
      rig,
      toolsOf(() => textResult('x', (calls += 1) === 1)),
    );
    expect(end.failedTools).toEqual([]);
  });

  it('[E7.max-iterations MAX_ITERATIONS] stops after so many answers and keeps the text so far', async () => {
    const rig = await openRig({
      script: (_request, nth) => ({
        content: [
          { type: 'text', text: `Turn ${nth}` },
          { type: 'tool_use', id: `t${nth}`, name: LOOK, input: {} },
        ],
        stopReason: 'tool_use',
      }),
    });
    const end = await run(rig, toolsOf(), 3);
    expect(end).toMatchObject({ failure: { code: 'MAX_ITERATIONS' }, text: 'Turn 2' });
    expect(rig.model.calls).toHaveLength(3);
  });

  it('[X2.no-repeat] repeats nothing that is finished, and goes on where it was', async () => {
    const rig = await openRig({ script: script(use('t1', LOOK, {}), say('Done it')) });
    const tools = toolsOf();
    const first = await run(rig, tools);
    const again = await run(rig, tools);
    expect(again).toEqual(first);
    expect(rig.model.calls).toHaveLength(2);
    expect(tools.calls).toHaveLength(1);
  });
});

describe('[E3.stop-reasons] every stop reason', () => {
  it.each(['end_turn', 'stop_sequence', 'tool_use'])('%s without a tool call is the end', async (reason) => {
    const rig = await openRig({ script: script(stopped(reason, 'Bye')) });
    expect(await run(rig)).toMatchObject({ failure: null, text: 'Bye' });
    expect(rig.model.calls).toHaveLength(1);
  });

  it('end_turn with a tool call, as some servers have it, runs the tool', async () => {
    const rig = await openRig({ script: script({ ...use('t1', LOOK, {}), stopReason: 'end_turn' }, say('Ok')) });
    const tools = toolsOf();
    expect(await run(rig, tools)).toMatchObject({ failure: null, text: 'Ok' });
    expect(tools.calls).toHaveLength(1);
  });

  it('pause_turn is sent back as it is', async () => {
    const rig = await openRig({ script: script(stopped('pause_turn', 'Wait'), say('Ok')) });
    expect(await run(rig)).toMatchObject({ failure: null, text: 'Ok' });
    expect(rig.model.calls[1]?.request.messages.at(-1)).toEqual({
      role: 'assistant',
      content: [{ type: 'text', text: 'Wait' }],
    });
  });

  it.each([
    ['refusal', 'MODEL_REFUSED'],
    ['model_context_window_exceeded', 'TASK_FAILED'],
    ['brand_new_reason', 'TASK_FAILED'],
  ])('%s fails with %s, and its tool calls are not made', async (reason, code) => {
    const rig = await openRig({ script: script({ ...use('t1', LOOK, {}), stopReason: reason }) });
    const tools = toolsOf();
    expect((await run(rig, tools)).failure?.code).toBe(code);
    expect(tools.calls).toHaveLength(0);
  });

  it('a refusal may be empty', async () => {
    const rig = await openRig({ script: script(stopped('refusal', '')) });
    expect((await run(rig)).failure?.code).toBe('MODEL_REFUSED');
  });

  it('an empty end is kept out of the history, which the API would refuse', async () => {
    const rig = await openRig({ script: script({ content: [{ type: 'text', text: '' }], stopReason: 'end_turn' }) });
    const end = await run(rig);
    expect(end.conversation.messages).toEqual([{ role: 'user', content: 'Task 1: Do it' }]);
  });
});

describe('[X1.clamp] an answer that is cut at max_tokens', () => {
  const cut = { ...use('t1', PUT, { path: 'a' }), stopReason: 'max_tokens' };

  it('is paid, dropped, and asked again with the double; what follows keeps the room', async () => {
    const rig = await openRig({ limit: 400_000_000, script: script(cut, cut, use('t2', LOOK, {}), say('Ok')) });
    const tools = toolsOf();
    const end = await run(rig, tools);
    expect(end).toMatchObject({ failure: null, text: 'Ok' });
    expect(tools.calls.map(({ tool }) => tool)).toEqual(['look']);
    expect(rig.model.calls.map(({ request }) => request.maxTokens)).toEqual([2000, 4000, 8000, 8000]);
    expect(rig.model.calls[2]?.request.messages).toEqual(rig.model.calls[0]?.request.messages);
    expect(keys(rig).filter((key) => !key.includes('tool'))).toEqual([
      'task[1]/try[0]/turn[0]',
      'task[1]/try[0]/turn[0]/more[1]',
      'task[1]/try[0]/turn[0]/more[2]',
      'task[1]/try[0]/turn[1]',
    ]);
    expect([...rig.journal.state('run_1').ledger.values()].map(({ outcome }) => outcome)).toEqual([
      'known',
      'known',
      'known',
      'known',
    ]);
    // And after a crash nothing of it is asked again.
    await run(rig, tools);
    expect(rig.model.calls).toHaveLength(4);
  });

  it('fails when it is still cut at the largest answer that is allowed', async () => {
    const rig = await openRig({ maxTokens: 3000, limit: 1_000_000_000, script: () => cut });
    const tools = toolsOf();
    const end = await run(rig, tools);
    expect(end.failure).toMatchObject({
      code: 'TASK_FAILED',
      message: expect.stringContaining('3000 tokens') as string,
    });
    expect(rig.model.calls.map(({ request }) => request.maxTokens)).toEqual([3000]);
    expect(tools.calls).toHaveLength(0);
  });

  it('never goes above what the model can answer', async () => {
    const rig = await openRig({ maxTokens: 1_000_000, model: 'claude-haiku-4-5', script: () => cut });
    expect((await run(rig)).failure?.code).toBe('TASK_FAILED');
    expect(rig.model.calls.map(({ request }) => request.maxTokens)).toEqual([64_000]);
  });
});
