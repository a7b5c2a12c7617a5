import type { ModelSpec } from '../models.ts';
import { invalid } from '../refusal.ts';
import { isRecord } from '../request.ts';
import { optional, readList, readOneOf, readRecord, readString, refuseUnknown } from './read.ts';

type Fields = Readonly<Record<string, unknown>>;

const NAME = /^[a-zA-Z0-9_-]{1,128}$/u;
/** Tools that the API itself defines carry a dated type. */
const DEFINED = /^[a-z][a-z0-9_]*_\d{8}$/u;
const CUSTOM = new Set([
  'type',
  'name',
  'description',
  'input_schema',
  'cache_control',
  'allowed_callers',
  'defer_loading',
  'eager_input_streaming',
  'input_examples',
  'strict',
]);

/** The tools as sent; refuses illegal and repeated names and schemas that are no object. */
export const readTools = (value: unknown): readonly Fields[] => {
  const tools = (optional(value, (list) => readList(list, 'tools')) ?? []).map((tool, index) => {
    const fields = readRecord(tool, `tools.${index}`);
    checkTool(fields, `tools.${index}`);
    return fields;
  });
  const names = tools.flatMap((tool) => (typeof tool['name'] === 'string' ? [tool['name']] : []));
  if (new Set(names).size < names.length) throw invalid('tools: Tool names must be unique.');
  return tools;
};

const checkTool = (tool: Fields, path: string): void => {
  const type = optional(tool['type'], (value) => readString(value, `${path}.type`)) ?? 'custom';
  if (type === 'mcp_toolset') return;
  if (type !== 'custom') {
    if (!DEFINED.test(type))
      throw invalid(`${path}: Input tag '${type}' found using 'type' does not match any of the expected tags`);
    return;
  }
  const name = readString(tool['name'], `${path}.custom.name`);
  if (!NAME.test(name)) throw invalid(`${path}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`);
  optional(tool['description'], (text) => readString(text, `${path}.custom.description`));
  const schema = readRecord(tool['input_schema'], `${path}.custom.input_schema`);
  if (schema['type'] === undefined) throw invalid(`${path}.custom.input_schema.type: Field required`);
  if (schema['type'] !== 'object') throw invalid(`${path}.custom.input_schema.type: Input should be 'object'`);
  for (const key of ['oneOf', 'allOf', 'anyOf']) {
    if (key in schema)
      throw invalid(
        `${path}.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level`,
      );
  }
  refuseUnknown(tool, CUSTOM, `${path}.custom`);
};

export const checkToolChoice = (value: unknown, tools: readonly Fields[], model: ModelSpec): void => {
  if (value === undefined || value === null) return;
  const choice = readRecord(value, 'tool_choice');
  const type = readOneOf(choice['type'], 'tool_choice.type', ['auto', 'any', 'tool', 'none']);
  if (tools.length === 0) throw invalid('tool_choice: tool_choice may only be specified while providing tools');
  if (type !== 'any' && type !== 'tool') return;
  if (!model.forcedToolChoice) {
    throw invalid(
      `tool_choice.type: '${type}' is not supported by ${model.id}; use 'auto' and say in the prompt which tool to use`,
    );
  }
  if (type === 'any') return;
  const name = readString(choice['name'], 'tool_choice.tool.name');
  if (!tools.some((tool) => isRecord(tool) && tool['name'] === name)) {
    throw invalid(`tool_choice: Tool '${name}' not found in provided tools`);
  }
};
