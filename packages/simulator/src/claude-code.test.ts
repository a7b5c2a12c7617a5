import { describe, expect, it } from 'vitest';
import { startSimulator } from './server.ts';

const BETAS = [
  'claude-code-20250219',
  'interleaved-thinking-2025-05-14',
  'context-management-2025-06-27',
  'per-turn-control-2026-07-01',
  'effort-2025-11-24',
  'thinking-display-updates-2026-08-18',
];

/** The shape in which Claude Code 2.1.329 asks. */
const BODY = {
  model: 'claude-opus-5-5',
  max_tokens: 128_000,
  system: [
    { type: 'text', text: 'You are a Claude agent.', cache_control: { type: 'ephemeral' } },
    { type: 'text', text: 'CWD: .', cache_control: { type: 'ephemeral' } },
  ],
  tools: [{ name: 'mcp__taskmcp__change_open', description: 'Open', input_schema: { type: 'object', properties: {} } }],
  metadata: { user_id: '{"session_id":"s"}' },
  thinking: { type: 'adaptive', display: 'updates' },
  context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
  output_config: { effort: 'medium' },
};
const ASKED = {
  role: 'user',
  content: [
    { type: 'text', text: '<system-reminder>\nAttribution for commits\n</system-reminder>\n' },
    { type: 'text', text: 'Open a change for user notifications', cache_control: { type: 'ephemeral' } },
  ],
};
const EFFORT = { role: 'system', content: [], output_config: { effort: 'medium' } };

const start = async () => {
  const simulator = await startSimulator({ port: 0, host: '127.0.0.1' });
  const post = async (messages: readonly unknown[], betas: readonly string[] = BETAS) => {
    const response = await fetch(`${simulator.url}/v1/messages?beta=true`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-api-key': 'sk-fake',
        'anthropic-version': '2023-06-01',
        ...(betas.length === 0 ? {} : { 'anthropic-beta': betas.join(',') }),
      },
      body: JSON.stringify({ ...BODY, messages }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return { post, [Symbol.asyncDispose]: () => simulator.close() };
};

describe('[X7.claude-code] Claude Code', () => {
  it('calls a tool of Task MCP, answers it with messages of the system in between, and gets the end of the turn', async () => {
    await using running = await start();
    const first = await running.post([ASKED, EFFORT]);
    expect(first).toMatchObject({
      status: 200,
      body: {
        stop_reason: 'tool_use',
        content: [{ type: 'tool_use', name: 'mcp__taskmcp__change_open', input: { slug: 'user-notifications' } }],
      },
    });
    const content = first.body['content'] as { id?: string }[];
    const result = { type: 'tool_result', tool_use_id: content[0]?.id, content: [{ type: 'text', text: 'created' }] };
    // The next request has its first message as a string, and the marks have moved.
    const asked = { role: 'user', content: ASKED.content.map(({ type, text }) => ({ type, text })) };
    const second = await running.post([
      asked,
      { ...EFFORT, content: [] },
      { role: 'assistant', content },
      { role: 'user', content: [result] },
      { role: 'system', content: 'A reminder' },
    ]);
    expect(second).toMatchObject({ status: 200, body: { stop_reason: 'end_turn' } });
  });

  it.each<readonly [string, readonly unknown[], readonly string[], string]>([
    ['settings of a turn without their beta', [ASKED, EFFORT], [], 'messages.1.output_config: Extra inputs'],
    [
      'an effort that there is not',
      [ASKED, { ...EFFORT, output_config: { effort: 'huge' } }],
      BETAS,
      'messages.1.output_config.effort: Input should be',
    ],
    ['nothing said and nothing set', [ASKED, { ...EFFORT, output_config: {} }], BETAS, 'messages.1: all messages must'],
    [
      'settings of a user',
      [{ ...ASKED, output_config: { effort: 'low' } }],
      BETAS,
      'messages.0.output_config: Extra inputs',
    ],
    [
      'a tool that is added without its beta',
      [ASKED, { role: 'system', content: [{ type: 'tool_addition', tool: {} }] }],
      BETAS,
      'blocks that change tools need the beta',
    ],
  ])('is refused %s', async (_name, messages, betas, message) => {
    await using running = await start();
    expect(await running.post(messages, betas)).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining(message) as unknown } },
    });
  });
});
