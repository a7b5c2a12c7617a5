import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BEHAVIOURS } from './assist.ts';
import { FAULT_KINDS, parseFault } from './fault-order.ts';
import { parseScenario } from './parse-scenario.ts';
import { PROFILES, type ServerProfile } from './profile.ts';
import { startSimulator } from './server.ts';

const PAGE = readFileSync(new URL('../../../docs/reference/simulator.md', import.meta.url), 'utf8');

/** Rows of the table under a heading that begins with these cells. */
const table = (...head: readonly string[]): readonly (readonly string[])[] => {
  const lines = PAGE.split('\n');
  const start = lines.findIndex((line) => head.every((cell, index) => cellsOf(line)[index] === cell));
  const rest = lines.slice(start + 2);
  return rest
    .slice(
      0,
      rest.findIndex((line) => !line.startsWith('|')),
    )
    .map(cellsOf);
};
const cellsOf = (line: string): readonly string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
/** A span of code may hold back-ticks of its own. */
const codeOf = (cell: string): string => cell.slice(cell.indexOf('`') + 1, cell.lastIndexOf('`'));

const BASE = { model: 'claude-sonnet-5-5', max_tokens: 100, messages: [{ role: 'user', content: 'hello' }] };
const HEADERS = { 'content-type': 'application/json', 'x-api-key': 'k', 'anthropic-version': '2026-10-21' };

describe('docs/reference/simulator.md', () => {
  it('[X7.validates X7.reference] every rule is answered as it says', async () => {
    const simulator = await startSimulator({ port: 0, host: '127.0.0.1' });
    const rows = table('rule', 'members', 'answer');
    const told: unknown[] = [];
    for (const [, members = '', answer = ''] of rows) {
      const isHeader = members.startsWith('header');
      const missing = codeOf(members).split('`')[0] ?? '';
      const response = await fetch(`${simulator.url}/v1/messages`, {
        method: 'POST',
        headers: isHeader ? Object.fromEntries(Object.entries(HEADERS).filter(([name]) => name !== missing)) : HEADERS,
        body: JSON.stringify(isHeader ? BASE : { ...BASE, ...(JSON.parse(codeOf(members)) as object) }),
      });
      const { error } = (await response.json()) as { error?: { message: string } };
      const words = codeOf(answer);
      told.push([members, response.status, error?.message.includes(words) === true ? words : error?.message]);
    }
    await simulator.close();
    expect(rows.length).toBeGreaterThan(20);
    expect(told).toEqual(rows.map(([, members, answer = '']) => [members, Number(answer.slice(0, 3)), codeOf(answer)]));
  });

  it('[X7.faults X7.reference] names every fault', () => {
    const kinds = table('kind', 'parameters').map(([cell = '']) => cell.split('`')[1] ?? '');
    expect(kinds).toEqual(['429', ...FAULT_KINDS.toSorted((a, b) => kinds.indexOf(a) - kinds.indexOf(b))]);
    expect(kinds.filter((kind) => 'problem' in parseFault(kind))).toEqual([]);
  });

  it('[X7.scenario X7.reference] shows a scenario that is one, its conditions and behaviours', () => {
    const example = /```json\n(.*?)```/su.exec(PAGE)?.[1] ?? '';
    expect(parseScenario(JSON.parse(example)).rules).toHaveLength(5);
    const conditions = table('condition').flatMap(([cell = '']) => cell.replaceAll('`', '').split(', '));
    const all = Object.fromEntries(conditions.map((name) => [name, { turn: 1, times: 1, tools: ['a'] }[name] ?? 'x']));
    expect(parseScenario({ format: 1, rules: [{ when: all, answer: {} }] }).rules[0]?.when).toEqual(all);
    expect(() => parseScenario({ format: 1, rules: [{ when: { other: 1 }, answer: {} }] })).toThrow(
      `known are ${['lastMessage', 'firstMessage', 'system', 'tools', 'turn', 'model', 'times'].join(', ')}`,
    );
    expect(conditions).toHaveLength(7);
    expect(table('behaviour (`use`)').map(([cell = '']) => codeOf(cell))).toEqual(Object.keys(BEHAVIOURS));
  });

  it('[X7.profiles X7.reference] tells the profiles as they are', () => {
    const core = new Set(['model', 'messages', 'max_tokens', 'system', 'stream', 'stop_sequences', 'tools']);
    const keys = { key: 'x-api-key or Bearer', bearer: 'Bearer alone', none: 'none' };
    const rowOf = (profile: ServerProfile): readonly string[] => [
      `\`${profile.name}\``,
      keys[profile.auth],
      profile.strictVersion ? 'required' : '2023-06-01 or newer',
      profile.members === undefined ? 'all' : [...profile.members].filter((name) => !core.has(name)).join(', '),
      profile.cache,
      profile.countTokens ? 'yes' : 'no',
      profile.ownModels ? 'its own' : 'any',
    ];
    expect(table('profile', 'key')).toEqual(Object.values(PROFILES).map(rowOf));
  });
});
