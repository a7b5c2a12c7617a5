import { CloutError, codeOf, type McpToolResult } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { say } from '../model/port.fake.ts';
import { openRig, type Rig } from '../workflow/drive.fake.ts';
import { toolStep, type ToolOutcome } from './tool-call.ts';
import { openFakeTools, textResult, toolOf, type FakeTools } from './tool-port.fake.ts';

const TOOLS = [
  toolOf('look', { readOnlyHint: true }),
  toolOf('put', { readOnlyHint: false, idempotentHint: true }, ['path']),
  toolOf('append', { readOnlyHint: false, idempotentHint: false }),
];
const KEY = 'task[1]/try[0]/turn[0]/tool[0]';
const rigOf = (): Promise<Rig> => openRig({ script: () => say('') });
const toolsOf = (body: () => McpToolResult = () => textResult('Done')): FakeTools => openFakeTools(TOOLS, body);
const use = (name: string, input: unknown = { path: 'a' }) => ({
  id: 'toolu_1',
  name: `mcp__filesystem__${name}`,
  input,
});
const caught = async (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'no error',
    (error: unknown) => error,
  );

/** A driver that dies right after a call took effect, before its row is written. */
const dieInside = async (rig: Rig, name: string): Promise<void> => {
  const drive = await rig.drive();
  const tools = openFakeTools(TOOLS, () => {
    throw new Error('unreachable');
  });
  const dying = {
    ...tools,
    call: async () => {
      throw new CloutError('FENCED', 'killed');
    },
  };
  await caught(
    toolStep(
      {
        ...drive,
        commit: async (unit) => {
          if (unit.steps !== undefined) throw new Error('killed');
          await drive.commit(unit);
        },
      },
      dying,
      KEY,
      use(name),
    ),
  );
};

describe('a tool step', () => {
  it('[X2.tool-intent] is announced before the call, called with a key of its own, and recorded', async () => {
    const rig = await rigOf();
    const intents: number[] = [];
    const tools = toolsOf(() => {
      intents.push(rig.journal.state('run_1').intents.size);
      return textResult('Done');
    });
    const outcome = await toolStep(await rig.drive(), tools, KEY, use('append'));
    expect(outcome).toEqual({ name: 'filesystem:append', blocks: [{ type: 'text', text: 'Done' }], isError: false });
    expect(intents).toEqual([1]);
    expect(tools.calls).toEqual([{ tool: 'append', input: { path: 'a' }, idempotencyKey: `run_1:${KEY}` }]);
    expect(rig.journal.state('run_1').steps.get(KEY)).toMatchObject({
      kind: 'tool',
      name: 'filesystem:append',
      isError: false,
    });
    expect(rig.events.map(({ body }) => body)).toMatchObject([
      { type: 'tool.started', step: KEY, server: 'filesystem', tool: 'append', input: { path: 'a' } },
      { type: 'tool.finished', step: KEY, isError: false, preview: 'Done' },
    ]);
  });

  it('[X2.no-repeat] that is recorded is not called again', async () => {
    const rig = await rigOf();
    const tools = toolsOf();
    const first = await toolStep(await rig.drive(), tools, KEY, use('append'));
    expect(await toolStep(await rig.drive(), tools, KEY, use('append'))).toEqual(first);
    expect(tools.calls).toHaveLength(1);
  });

  it('[X2.diverged] with other arguments at the same place is refused', async () => {
    const rig = await rigOf();
    await toolStep(await rig.drive(), toolsOf(), KEY, use('append'));
    expect(codeOf(await caught(toolStep(await rig.drive(), toolsOf(), KEY, use('append', { path: 'b' }))))).toBe(
      'DIVERGED',
    );
  });
});

describe('[E7.is-error] what goes wrong with a tool is told to the model', () => {
  const outcomeOf = async (
    tools: FakeTools,
    call: ReturnType<typeof use>,
  ): Promise<ToolOutcome & { text: unknown }> => {
    const rig = await rigOf();
    const outcome = await toolStep(await rig.drive(), tools, KEY, call);
    expect(rig.journal.state('run_1').steps.get(KEY)?.isError).toBe(true);
    expect(rig.events.map(({ body }) => body.type)).toEqual(['tool.started', 'tool.finished']);
    return { ...outcome, text: outcome.blocks[0]?.['text'] };
  };

  it.each([
    ['an unknown tool', use('fly'), 'There is no tool named mcp__filesystem__fly.'],
    ['arguments that are no object', use('put', 'a'), 'The arguments are not a JSON object.'],
    ['arguments that are a list', use('put', []), 'The arguments are not a JSON object.'],
    ['arguments that are no JSON', use('put', { INVALID_JSON: '{"a' }), 'The arguments are not valid JSON.'],
    ['missing arguments', use('put', { file: 'a' }), 'Required arguments are missing: path.'],
  ])('%s, without a call', async (_what, call, text) => {
    const tools = toolsOf();
    expect(await outcomeOf(tools, call)).toMatchObject({ isError: true, text });
    expect(tools.calls).toHaveLength(0);
  });

  it('an error that it returns, as it is', async () => {
    expect(
      await outcomeOf(
        toolsOf(() => textResult('ENOENT', true)),
        use('look'),
      ),
    ).toMatchObject({ isError: true, text: 'ENOENT' });
  });

  it('an error of ours, and nothing of one that is not', async () => {
    const timeout = toolsOf(() => {
      throw new CloutError('REQUEST_TIMEOUT', 'No answer in 60 s');
    });
    expect((await outcomeOf(timeout, use('append'))).text).toBe('The call failed: No answer in 60 s');
    const secret = toolsOf(() => {
      throw new Error('password=hunter2');
    });
    expect((await outcomeOf(secret, use('append'))).text).toBe('The call failed: the tool failed');
  });
});

describe('[X2.effect-unknown EFFECT_UNKNOWN] after a crash inside a call', () => {
  it.each(['look', 'put'])('%s, which may be repeated, is called again', async (name) => {
    const rig = await rigOf();
    await dieInside(rig, name);
    const tools = toolsOf();
    expect(await toolStep(await rig.drive(), tools, KEY, use(name))).toMatchObject({ isError: false });
    expect(tools.calls).toHaveLength(1);
    expect(rig.events.filter(({ body }) => body.type === 'tool.started')).toHaveLength(1);
  });

  it('any other waits for a person', async () => {
    const rig = await rigOf();
    await dieInside(rig, 'append');
    const tools = toolsOf();
    const error = await caught(toolStep(await rig.drive(), tools, KEY, use('append')));
    expect(codeOf(error)).toBe('EFFECT_UNKNOWN');
    expect(error).toMatchObject({ details: { step: KEY, name: 'filesystem:append', input: { path: 'a' } } });
    expect(tools.calls).toHaveLength(0);
  });

  it('who says repeat gets it called again under the same key', async () => {
    const rig = await rigOf();
    await dieInside(rig, 'append');
    const tools = toolsOf();
    expect(await toolStep(await rig.drive('repeat'), tools, KEY, use('append'))).toMatchObject({ isError: false });
    expect(tools.calls[0]?.idempotencyKey).toBe(`run_1:${KEY}`);
  });

  it('who says skip lets the model know', async () => {
    const rig = await rigOf();
    await dieInside(rig, 'append');
    const tools = toolsOf();
    const outcome = await toolStep(await rig.drive('skip'), tools, KEY, use('append'));
    expect(outcome.isError).toBe(true);
    expect(outcome.blocks[0]?.['text']).toContain('not known whether this call took effect');
    expect(tools.calls).toHaveLength(0);
    // Decided once: the next driver reads the row.
    expect(await toolStep(await rig.drive(), tools, KEY, use('append'))).toEqual(outcome);
  });

  it('a lost connection is the same: unknown, unless it may be repeated', async () => {
    const lost = toolsOf(() => {
      throw new CloutError('MCP_CONNECTION_FAILED', 'It died');
    });
    const rig = await rigOf();
    expect(codeOf(await caught(toolStep(await rig.drive(), lost, KEY, use('append'))))).toBe('EFFECT_UNKNOWN');
    const other = await rigOf();
    expect(codeOf(await caught(toolStep(await other.drive(), lost, KEY, use('put'))))).toBe('MCP_CONNECTION_FAILED');
    expect(await toolStep(await other.drive(), toolsOf(), KEY, use('put'))).toMatchObject({ isError: false });
  });

  it('a call that was aborted leaves its intent open', async () => {
    const rig = await rigOf();
    const tools = toolsOf(() => {
      rig.controller.abort('stopping');
      throw new Error('aborted');
    });
    expect(await caught(toolStep(await rig.drive(), tools, KEY, use('append')))).toBe('stopping');
    expect((await rig.drive()).claim.openIntents).toMatchObject([{ key: KEY, repeatable: false }]);
  });
});
