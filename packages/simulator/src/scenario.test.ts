import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf, type CloutError } from '@cloutagent/contract';
import { describe, expect, it } from 'vitest';
import { createChooser } from './match.ts';
import { parseScenario } from './parse-scenario.ts';
import { loadScenario } from './run.ts';
import { defaultScenario, type When } from './scenario.ts';
import { fill, fillDeep } from './template.ts';
import { PROFILES } from './profile.ts';
import { readRequest } from './validate/request.ts';

type Fields = Readonly<Record<string, unknown>>;

const request = (patch: Fields = {}) =>
  readRequest(
    {
      model: 'claude-sonnet-5-5',
      max_tokens: 100,
      messages: [{ role: 'user', content: 'write notes.txt now' }],
      ...patch,
    },
    { version: '2026-10-21', beta: false, betas: new Set(), profile: PROFILES.anthropic, nowMs: 0 },
  );
const rule = (when: Fields, answer: Fields): Fields => ({ format: 1, rules: [{ when, answer }] });

/** The message of the VALIDATION_ERROR and the field that it names. */
const problemOf = (value: unknown): { path: unknown; message: string } => {
  try {
    parseScenario(value);
    return { path: undefined, message: 'accepted' };
  } catch (error) {
    expect(codeOf(error)).toBe('VALIDATION_ERROR');
    const { details, message } = error as CloutError;
    return { path: details?.['path'], message };
  }
};

describe('[X7.scenario] a scenario file', () => {
  it.each<readonly [unknown, string]>([
    [[], ''],
    [{ rules: [] }, 'format'],
    [{ format: 2, rules: [] }, 'format'],
    [{ format: 1 }, 'rules'],
    [{ format: 1, rules: {} }, 'rules'],
    [{ format: 1, rules: [], extra: 1 }, 'extra'],
    [{ format: 1, rules: [], delays: { firstTokenMs: -1 } }, 'delays.firstTokenMs'],
    [{ format: 1, rules: [{ when: {} }] }, 'rules[0].answer'],
    [rule({ turn: 0 }, {}), 'rules[0].when.turn'],
    [rule({ times: 1.5 }, {}), 'rules[0].when.times'],
    [rule({ tools: ['a', 2] }, {}), 'rules[0].when.tools[1]'],
    [rule({ lastMessage: 5 }, {}), 'rules[0].when.lastMessage'],
    [rule({ lastMessage: { regex: '(' } }, {}), 'rules[0].when.lastMessage'],
    [rule({ lastMessage: { regex: 'a', flags: 'g' } }, {}), 'rules[0].when.lastMessage.flags'],
    [rule({ lastMesage: 'x' }, {}), 'rules[0].when.lastMesage'],
    [rule({}, { text: 5 }), 'rules[0].answer.text'],
    [rule({}, { text: 'Hello {{name}}' }), 'rules[0].answer.text'],
    [rule({}, { toolCalls: [{ input: {} }] }), 'rules[0].answer.toolCalls[0].name'],
    [rule({}, { toolCalls: [{ name: 'a', input: { b: ['{{c}}'] } }] }), 'rules[0].answer.toolCalls[0].input.b[0]'],
    [rule({}, { stopReason: 'stop' }), 'rules[0].answer.stopReason'],
    [rule({}, { usage: { tokens: 1 } }), 'rules[0].answer.usage.tokens'],
    [rule({}, { error: { status: 200 } }), 'rules[0].answer.error.status'],
    [rule({}, { error: {} }), 'rules[0].answer.error.status'],
    [rule({}, { fault: 'fire' }), 'rules[0].answer.fault'],
    [rule({}, { use: 'magic' }), 'rules[0].answer.use'],
  ])('that is %j names the wrong field %s', (value, path) => {
    expect(problemOf(value)).toEqual({
      path,
      message: expect.stringContaining(path === '' ? 'the file' : path) as unknown,
    });
  });

  it('is read from a file, with the file named where it is not there or no JSON', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'scenario-'));
    const file = join(folder, 'scenario.json');
    const codeNow = (): Promise<unknown> => loadScenario(file).then(() => 'read', codeOf);
    expect(await codeNow()).toBe('NOT_FOUND');
    await writeFile(file, '{"format":1,');
    expect(await codeNow()).toBe('VALIDATION_ERROR');
    const answer = {
      text: 'x {{match.1}} \\{{',
      toolCalls: [{ name: 'a', input: {} }],
      stopReason: 'tool_use',
      delayMs: 1,
      usage: { output_tokens: 3 },
    };
    const rules = [
      { when: { lastMessage: { regex: 'a(b)', flags: 'i' }, tools: ['a'], turn: 1, times: 2 }, answer },
      { answer: { fault: 'drop' } },
    ];
    await writeFile(file, JSON.stringify({ format: 1, name: 'mine', rules }));
    expect(await loadScenario(file)).toEqual({
      format: 1,
      name: 'mine',
      delays: { firstTokenMs: 0, perTokenMs: 0 },
      rules: [rules[0], { when: {}, answer: { fault: 'drop' } }],
    });
    await rm(folder, { recursive: true });
  });

  it('may be the default one, written out', () => {
    expect(parseScenario(JSON.parse(JSON.stringify(defaultScenario)))).toEqual(defaultScenario);
  });
});

describe('[X7.scenario] a rule', () => {
  const tools = [{ name: 'mcp__filesystem__write_file', input_schema: { type: 'object' } }];
  const turns = [
    { role: 'user', content: 'first words' },
    { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'x', input: {} }] },
    {
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: 'no such file' }] }],
    },
  ];
  const holds = (when: When, patch: Fields = {}): boolean =>
    createChooser({ ...defaultScenario, rules: [{ when, answer: {} }] })(request(patch)) !== undefined;

  it.each<readonly [When, Fields, boolean]>([
    [{}, {}, true],
    [{ lastMessage: 'notes.txt' }, {}, true],
    [{ lastMessage: 'notes.tx.' }, {}, false],
    [{ lastMessage: { regex: 'NOTES\\.txt', flags: 'i' } }, {}, true],
    [{ lastMessage: { regex: '^notes' } }, {}, false],
    [{ lastMessage: 'no such file' }, { messages: turns }, true],
    [{ lastMessage: 'first words' }, { messages: turns }, false],
    [{ firstMessage: 'first words' }, { messages: turns }, true],
    [{ turn: 2 }, { messages: turns }, true],
    [{ turn: 1 }, { messages: turns }, false],
    [{ system: 'brief' }, { system: [{ type: 'text', text: 'Be brief.' }] }, true],
    [{ system: 'brief' }, {}, false],
    [{ model: 'claude-sonnet-5-5' }, {}, true],
    [{ model: 'claude-opus-5-5' }, {}, false],
    [{ tools: ['mcp__filesystem__write_file'] }, { tools }, true],
    [{ tools: ['mcp__filesystem__write_file', 'other'] }, { tools }, false],
    [{ lastMessage: 'notes.txt', turn: 2 }, {}, false],
  ])('with %j for %j: %s', (when, patch, expected) => {
    expect(holds(when, patch)).toBe(expected);
  });

  it('wins over the rules behind it until its times are used up', () => {
    const choose = createChooser(
      parseScenario({
        format: 1,
        rules: [
          { when: { times: 2 }, answer: { text: 'a' } },
          { when: { times: 1 }, answer: { text: 'b' } },
        ],
      }),
    );
    expect([1, 2, 3, 4].map(() => choose(request())?.rule)).toEqual([0, 0, 1, undefined]);
  });

  it('binds what its expression found', () => {
    const answer = { text: '{{match.0}}|{{ match.1 }}|{{match.2}}|{{match.9}}|{{projectFolder}}|{{turn}}|{{model}}' };
    const scenario = parseScenario(rule({ lastMessage: { regex: 'write (\\w+)(x)?' } }, answer));
    const choice = createChooser(scenario)(request({ system: 'Hello.\nProject folder: /home/me/my project\nBye.' }));
    expect(fill(answer.text, choice?.bindings ?? new Map())).toBe(
      'write notes|notes|||/home/me/my project|1|claude-sonnet-5-5',
    );
  });
});

describe('[X7.scenario] a template', () => {
  it('is filled in one pass: what comes in is not read again', () => {
    const bindings = new Map([
      ['match.1', '{{match.2}}'],
      ['match.2', 'no'],
    ]);
    expect(fill('a {{match.1}} b', bindings)).toBe('a {{match.2}} b');
    expect(fill('\\{{match.1}} {{ {{match.1}}', bindings)).toBe('{{match.1}} ');
    expect(fill('open {{match.1', bindings)).toBe('open {{match.1');
  });

  it('is every string in a value', () => {
    const value = { a: ['{{match.1}}', 1, null], b: { c: '<{{match.1}}>' } };
    expect(fillDeep(value, new Map([['match.1', 'x']]))).toEqual({ a: ['x', 1, null], b: { c: '<x>' } });
  });
});
