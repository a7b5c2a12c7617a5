import { lastSpoken, textOf, type MessagesRequest } from './request.ts';
import type { Answer, Matcher, Scenario, When } from './scenario.ts';
import { projectFolderOf } from './task-prompt.ts';
import type { Bindings } from './template.ts';

export interface Choice {
  readonly answer: Answer;
  readonly bindings: Bindings;
  /** Place of the rule in the scenario, from 0. */
  readonly rule: number;
}

/** Picks the first rule whose conditions hold and counts it; undefined where none does. */
export type ChooseRule = (request: MessagesRequest) => Choice | undefined;

export const createChooser = (scenario: Scenario): ChooseRule => {
  const used = scenario.rules.map(() => 0);
  return (request) => {
    for (const [index, rule] of scenario.rules.entries()) {
      if ((used[index] ?? 0) >= (rule.when.times ?? Number.POSITIVE_INFINITY)) continue;
      const groups = matches(rule.when, request);
      if (groups === undefined) continue;
      used[index] = (used[index] ?? 0) + 1;
      return { answer: rule.answer, bindings: bindingsOf(groups, request), rule: index };
    }
    return undefined;
  };
};

/** 1 where the conversation has no assistant turn yet. */
const turnOf = ({ messages }: MessagesRequest): number =>
  messages.filter(({ role }) => role === 'assistant').length + 1;

const systemText = ({ system }: MessagesRequest): string => textOf({ role: 'system', content: system });

/** Groups of the regular expression that matched (the last message's before the first's), or undefined. */
const matches = (when: When, request: MessagesRequest): readonly string[] | undefined => {
  if (when.turn !== undefined && when.turn !== turnOf(request)) return undefined;
  if (when.model !== undefined && when.model !== request.modelId) return undefined;
  if (when.system !== undefined && !systemText(request).includes(when.system)) return undefined;
  const offered = new Set(request.tools.map((tool) => tool['name']));
  if (when.tools?.every((name) => offered.has(name)) === false) return undefined;
  const last = find(when.lastMessage, textOf(lastSpoken(request.messages)));
  const first = find(when.firstMessage, textOf(request.messages[0]));
  if (last === undefined || first === undefined) return undefined;
  return last.length > 0 ? last : first;
};

const find = (matcher: Matcher | undefined, text: string): readonly string[] | undefined => {
  if (matcher === undefined) return [];
  if (typeof matcher === 'string') return text.includes(matcher) ? [matcher] : undefined;
  const found = new RegExp(matcher.regex, matcher.flags ?? 'u').exec(text);
  return found === null ? undefined : Array.from(found, (group: string | undefined) => group ?? '');
};

const bindingsOf = (groups: readonly string[], request: MessagesRequest): Bindings =>
  new Map([
    ...groups.map((group, index): [string, string] => [`match.${index}`, group]),
    ['projectFolder', projectFolderOf(systemText(request)) ?? '.'],
    ['turn', String(turnOf(request))],
    ['model', request.modelId],
  ]);
