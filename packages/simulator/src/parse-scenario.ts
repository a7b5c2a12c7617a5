import { CloutError } from '@cloutagent/contract';
import { isRecord } from './request.ts';
import type {
  Answer,
  Behaviour,
  Delays,
  ErrorReply,
  Matcher,
  Rule,
  Scenario,
  Speech,
  ToolCall,
  UsageOverride,
  When,
} from './scenario.ts';
import { placeholders } from './template.ts';

const STOP_REASONS = [
  'end_turn',
  'max_tokens',
  'stop_sequence',
  'tool_use',
  'pause_turn',
  'refusal',
  'model_context_window_exceeded',
] as const;
const FAULTS = ['drop', 'stall', 'truncate', 'midstream-error', 'broken-json'] as const;
const BEHAVIOURS = ['file-tasks', 'change-requests', 'assistant'] as const;
const PLACEHOLDER = /^(?:match\.\d{1,2}|projectFolder|turn|model)$/u;

type Reader<T> = (value: unknown, path: string) => T;
type Fields<T> = { readonly [K in keyof Required<T>]: Reader<Exclude<T[K], undefined>> };

/** Reads a scenario; throws VALIDATION_ERROR that names the wrong field, such as `rules[2].when.turn`. */
export const parseScenario = (value: unknown): Scenario => {
  const fields = shape<Partial<Scenario>>(value, '', {
    format: oneOf([1]),
    name: text,
    delays,
    rules: list(rule),
  });
  if (fields.format === undefined) throw wrong('format', 'is missing; it is 1');
  if (fields.rules === undefined) throw wrong('rules', 'is missing');
  return {
    format: 1,
    name: fields.name ?? 'unnamed',
    delays: fields.delays ?? { firstTokenMs: 0, perTokenMs: 0 },
    rules: fields.rules,
  };
};

const wrong = (path: string, problem: string): CloutError =>
  new CloutError('VALIDATION_ERROR', `Scenario: ${path === '' ? 'the file' : path} ${problem}`, {
    hint: 'Mend the named field of the scenario file',
    details: { path },
  });

/** A record of known members only; members that are absent stay absent. */
const shape = <T extends object>(value: unknown, path: string, readers: Fields<T>): T => {
  if (!isRecord(value)) throw wrong(path, 'must be an object');
  const prefix = path === '' ? '' : `${path}.`;
  const known = Object.keys(readers);
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) throw wrong(`${prefix}${unknown}`, `is not known; known are ${known.join(', ')}`);
  const read = Object.entries<Reader<unknown>>(readers)
    .filter(([key]) => value[key] !== undefined)
    .map(([key, reader]) => [key, reader(value[key], `${prefix}${key}`)]);
  // Each member was made by the reader that the type of `readers` demands for it.
  return Object.fromEntries(read) as T;
};

const text: Reader<string> = (value, path) => {
  if (typeof value !== 'string') throw wrong(path, 'must be a string');
  return value;
};

const template: Reader<string> = (value, path) => {
  const found = placeholders(text(value, path)).find((name) => !PLACEHOLDER.test(name));
  if (found !== undefined) {
    throw wrong(
      path,
      `has the unknown placeholder {{${found}}}; known are match.0 to match.99, projectFolder, turn, model; write \\{{ for a literal {{`,
    );
  }
  return text(value, path);
};

const integer =
  (least: number): Reader<number> =>
  (value, path) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least)
      throw wrong(path, `must be a whole number of at least ${least}`);
    return value;
  };

const list =
  <T>(read: Reader<T>): Reader<readonly T[]> =>
  (value, path) => {
    if (!Array.isArray(value)) throw wrong(path, 'must be a list');
    return value.map((item, index) => read(item, `${path}[${index}]`));
  };

const oneOf =
  <T>(choices: readonly T[]): Reader<T> =>
  (value, path) => {
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw wrong(path, `must be one of ${choices.join(', ')}`);
    return found;
  };

const matcher: Reader<Matcher> = (value, path) => {
  if (typeof value === 'string') return value;
  if (!isRecord(value)) throw wrong(path, 'must be a string (a part of the text) or {"regex": "…", "flags": "…"}');
  const fields = shape<{ regex?: string; flags?: string }>(value, path, { regex: text, flags: text });
  if (fields.regex === undefined) throw wrong(`${path}.regex`, 'is missing');
  if (/[gy]/u.test(fields.flags ?? '')) throw wrong(`${path}.flags`, 'may not have g or y: a rule is asked once');
  const problem = problemOf(fields.regex, fields.flags ?? 'u');
  if (problem !== undefined) throw wrong(path, `is no regular expression: ${problem}`);
  return { regex: fields.regex, ...(fields.flags === undefined ? {} : { flags: fields.flags }) };
};

const problemOf = (regex: string, flags: string): string | undefined => {
  try {
    return RegExp(regex, flags) instanceof RegExp ? undefined : '';
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
};

const delays: Reader<Delays> = (value, path) => ({
  firstTokenMs: 0,
  perTokenMs: 0,
  ...shape<Partial<Delays>>(value, path, { firstTokenMs: integer(0), perTokenMs: integer(0) }),
});

const when: Reader<When> = (value, path) =>
  shape<When>(value, path, {
    lastMessage: matcher,
    firstMessage: matcher,
    system: text,
    tools: list(text),
    turn: integer(1),
    model: text,
    times: integer(1),
  });

const toolCall: Reader<ToolCall> = (value, path) => {
  const fields = shape<Partial<ToolCall>>(value, path, { name: text, input });
  if (fields.name === undefined) throw wrong(`${path}.name`, 'is missing');
  return { name: fields.name, input: fields.input ?? {} };
};

const input: Reader<Readonly<Record<string, unknown>>> = (value, path) => {
  if (!isRecord(value)) throw wrong(path, 'must be an object');
  checkTemplates(value, path);
  return value;
};

const checkTemplates = (value: unknown, path: string): void => {
  if (typeof value === 'string') template(value, path);
  else if (Array.isArray(value)) value.forEach((item, index) => checkTemplates(item, `${path}[${index}]`));
  else if (isRecord(value)) for (const [key, member] of Object.entries(value)) checkTemplates(member, `${path}.${key}`);
};

const usage: Reader<UsageOverride> = (value, path) =>
  shape<UsageOverride>(value, path, {
    input_tokens: integer(0),
    cache_creation_input_tokens: integer(0),
    cache_read_input_tokens: integer(0),
    output_tokens: integer(0),
  });

const errorReply: Reader<ErrorReply> = (value, path) => {
  const fields = shape<Partial<ErrorReply>>(value, path, {
    status: integer(400),
    type: text,
    message: template,
    errorCode: text,
    retryAfter: (item, at) => (typeof item === 'number' ? item : text(item, at)),
  });
  if (fields.status === undefined || fields.status > 599)
    throw wrong(`${path}.status`, 'must be an HTTP status of an error, 400 to 599');
  return { ...fields, status: fields.status };
};

const SPEECH: Fields<Speech> = {
  thinking: template,
  text: template,
  toolCalls: list(toolCall),
  stopReason: oneOf(STOP_REASONS),
  delayMs: integer(0),
  firstTokenMs: integer(0),
  perTokenMs: integer(0),
  usage,
};

const answer: Reader<Answer> = (value, path) => {
  if (!isRecord(value)) throw wrong(path, 'must be an object');
  if ('use' in value) {
    return shape<{ use: Behaviour }>(value, path, { use: oneOf(BEHAVIOURS) });
  }
  if ('fault' in value) {
    const fields = shape<Extract<Answer, { fault: unknown }>>(value, path, {
      ...SPEECH,
      fault: oneOf(FAULTS),
      afterDeltas: integer(0),
      error: errorReply,
    });
    return fields;
  }
  if ('error' in value) return { ...shape<{ error: ErrorReply }>(value, path, { error: errorReply }) };
  return shape<Speech>(value, path, SPEECH);
};

const rule: Reader<Rule> = (value, path) => {
  const fields = shape<Partial<Rule>>(value, path, { when, answer });
  if (fields.answer === undefined) throw wrong(`${path}.answer`, 'is missing');
  return { when: fields.when ?? {}, answer: fields.answer };
};
