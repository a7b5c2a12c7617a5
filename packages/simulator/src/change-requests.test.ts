import { describe, expect, it } from 'vitest';
import { changeRequests } from './change-requests.ts';
import { PROFILES } from './profile.ts';
import { readRequest } from './validate/request.ts';

const TOOLS = ['change_open', 'change_archive', 'changes_active'];

const ask = (messages: readonly unknown[], names: readonly string[] = TOOLS) =>
  changeRequests(
    readRequest(
      {
        model: 'claude-sonnet-5-5',
        max_tokens: 100,
        messages,
        tools: names.map((name) => ({ name, input_schema: { type: 'object' } })),
      },
      { version: '2026-10-21', beta: false, betas: new Set(), profile: PROFILES.anthropic, nowMs: 0 },
    ),
  );
const said = (words: string) => [{ role: 'user', content: words }];

describe('[X7.scenario] a request about changes', () => {
  it.each([
    [
      'Create a new change for implementing user notifications with slug "user-notifications"',
      'change_open',
      { title: 'User notifications', slug: 'user-notifications' },
    ],
    [
      'Create a new change for implementing user authentication with slug "user-auth-v2" using the feature template.',
      'change_open',
      { title: 'User authentication', slug: 'user-auth-v2', template: 'feature' },
    ],
    ['Open a change to mend the login', 'change_open', { title: 'Mend the login', slug: 'mend-the-login' }],
    ['Archive the change "old-feature-removal"', 'change_archive', { slug: 'old-feature-removal' }],
    ['please archive old-feature-removal', 'change_archive', { slug: 'old-feature-removal' }],
    ['Show me all active changes', 'changes_active', {}],
  ])('%s', (words, name, input) => {
    expect(ask(said(words)).toolCalls).toEqual([{ name, input }]);
    const wire = `mcp__taskmcp__${name}`;
    expect(
      ask(
        said(words),
        TOOLS.map((tool) => `mcp__taskmcp__${tool}`),
      ).toolCalls,
    ).toEqual([{ name: wire, input }]);
    expect(ask(said(words), ['other']).toolCalls).toBeUndefined();
  });

  it('of another kind is answered plainly', () => {
    const answer = ask(said('What is the capital of France?'));
    expect(answer.toolCalls).toBeUndefined();
    expect(answer.text).toMatch(/^Simulated: /u);
  });

  it.each([
    [false, 'Archived', 'Simulated: the change old-one is archived.'],
    [true, 'CHANGE_NOT_FOUND', 'Simulated: the tool refused: CHANGE_NOT_FOUND'],
  ])('that was carried out (refused: %s) is told, once', (failed, content, text) => {
    const turns = [
      ...said('Archive the change "old-one"'),
      {
        role: 'assistant',
        content: [{ type: 'tool_use', id: 't1', name: 'change_archive', input: { slug: 'old-one' } }],
      },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content, is_error: failed }] },
    ];
    expect(ask(turns)).toEqual({ text });
    const next = [...turns, { role: 'assistant', content: text }, ...said('Show me all active changes')];
    expect(ask(next).toolCalls).toEqual([{ name: 'changes_active', input: {} }]);
  });
});
