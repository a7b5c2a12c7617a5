import type { ModelSpec } from '../models.ts';
import { invalid } from '../refusal.ts';
import { isRecord } from '../request.ts';
import { optional, readInteger, readList, readOneOf, readRecord, readString } from './read.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The API version from which sampling parameters are refused on every model. */
const WITHOUT_SAMPLING = '2026-10-21';

export const API_VERSIONS: readonly string[] = ['2023-01-01', '2023-06-01', WITHOUT_SAMPLING];

/** Refuses sampling parameters under 2026-10-21, and values out of range before it. */
export const checkSampling = (body: Fields, version: string): void => {
  for (const name of ['temperature', 'top_p', 'top_k']) {
    const value = body[name];
    if (value === undefined || value === null) continue;
    if (version >= WITHOUT_SAMPLING)
      throw invalid(`${name}: Sampling parameters are not supported in anthropic-version ${version}`);
    if (typeof value !== 'number') throw invalid(`${name}: Input should be a valid number`);
    if (name !== 'top_k' && (value < 0 || value > 1)) throw invalid(`${name}: range: 0..1`);
  }
};

/** 0 is allowed: it only warms the cache. */
export const readMaxTokens = (body: Fields, model: ModelSpec): number => {
  const value = readInteger(body['max_tokens'], 'max_tokens', 0);
  if (value > model.maxOutputTokens) {
    throw invalid(
      `max_tokens: ${value} > ${model.maxOutputTokens}, which is the maximum allowed number of output tokens for ${model.id}`,
    );
  }
  return value;
};

export const checkThinking = (body: Fields, model: ModelSpec, maxTokens: number): void => {
  const thinking = optional(body['thinking'], (value) => readRecord(value, 'thinking'));
  if (thinking === undefined) return;
  const type = readOneOf(thinking['type'], 'thinking.type', ['adaptive', 'between_tools', 'disabled', 'enabled']);
  const budgeted = model.thinking.includes('enabled');
  if (thinking['budget_tokens'] !== undefined && !(budgeted && type === 'enabled')) {
    throw invalid(
      `thinking.budget_tokens: not supported by ${model.id}; use thinking.type 'adaptive' with output_config.effort`,
    );
  }
  if (!model.thinking.some((known) => known === type)) {
    throw invalid(`thinking.type: '${type}' is not supported by ${model.id}; use ${model.thinking.join(' or ')}`);
  }
  if (type === 'enabled') {
    const budget = readInteger(thinking['budget_tokens'], 'thinking.budget_tokens', 1024);
    if (budget >= maxTokens) throw invalid('`max_tokens` must be greater than `thinking.budget_tokens`');
  }
  const effort = isRecord(body['output_config']) ? body['output_config']['effort'] : undefined;
  if (model.id === 'claude-haiku-5-5' && type === 'disabled' && (effort === 'xhigh' || effort === 'max')) {
    throw invalid(`thinking.type: 'disabled' is not supported with effort '${effort}'`);
  }
};

export const EFFORTS = ['low', 'medium', 'high', 'xhigh', 'max'] as const;

/** Schema of `output_config.format`, and of `output_format`, its older name. */
export const readOutputSchema = (body: Fields): Fields | undefined => {
  const config = optional(body['output_config'], (value) => readRecord(value, 'output_config'));
  optional(config?.['effort'], (value) => readOneOf(value, 'output_config.effort', EFFORTS));
  const [format, path] =
    config?.['format'] === undefined
      ? [body['output_format'], 'output_format']
      : [config['format'], 'output_config.format'];
  return optional(format, (value) => readFormat(value, path));
};

const readFormat = (value: unknown, path: string): Fields => {
  const format = readRecord(value, path);
  readOneOf(format['type'], `${path}.type`, ['json_schema']);
  const schema = readRecord(format['schema'], `${path}.schema`);
  checkClosed(schema, `${path}.schema`);
  return schema;
};

/** Every object of a schema has to say that it has no further members. */
const checkClosed = (schema: unknown, path: string): void => {
  if (Array.isArray(schema)) {
    schema.forEach((item, index) => checkClosed(item, `${path}.${index}`));
  } else if (isRecord(schema)) {
    if (schema['type'] === 'object' && schema['additionalProperties'] !== false)
      throw invalid(`${path}: For 'object' type, 'additionalProperties' must be explicitly set to false`);
    for (const [key, member] of Object.entries(schema)) {
      if (key !== 'enum' && key !== 'const' && key !== 'default' && key !== 'examples')
        checkClosed(member, `${path}.${key}`);
    }
  }
};

/** Stop sequences, at most 8,191 of them, each with something visible in it. */
export const readStopSequences = (body: Fields): readonly string[] => {
  const list = optional(body['stop_sequences'], (value) => readList(value, 'stop_sequences')) ?? [];
  if (list.length > 8191) throw invalid('stop_sequences: List should have at most 8191 items');
  return list.map((value, index) => {
    const text = readString(value, `stop_sequences.${index}`);
    if (text.trim() === '') throw invalid('stop_sequences: each stop sequence must contain non-whitespace');
    return text;
  });
};

export const readStream = (body: Fields): boolean => {
  const value = body['stream'];
  if (value === undefined || value === null) return false;
  if (typeof value !== 'boolean') throw invalid('stream: Input should be a valid boolean');
  return value;
};

export const checkRest = (body: Fields): void => {
  optional(body['service_tier'], (value) => readOneOf(value, 'service_tier', ['auto', 'standard_only']));
  const metadata = optional(body['metadata'], (value) => readRecord(value, 'metadata'));
  optional(metadata?.['user_id'], (value) => readString(value, 'metadata.user_id'));
};
