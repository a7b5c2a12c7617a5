import { Template, TOOLS, type ToolSpec } from '@cloutagent/contract';

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** X or null → X: null is read as absent, but clients and models need not know. */
const withoutNull = (schema: unknown): unknown => {
  if (!isObject(schema)) return schema;
  const { anyOf, type, ...rest } = schema;
  if (Array.isArray(type)) {
    const names: readonly unknown[] = type;
    const types = names.filter((name) => name !== 'null');
    return { type: types.length === 1 ? types[0] : types, ...rest };
  }
  if (!Array.isArray(anyOf)) return schema;
  const options: readonly unknown[] = anyOf;
  const kept = options.filter((option) => !(isObject(option) && option['type'] === 'null'));
  const [only] = kept;
  return kept.length === 1 && isObject(only) ? { ...rest, ...only } : schema;
};

const withProperties = (schema: Json, change: (name: string, property: unknown) => unknown): Json => {
  const { properties } = schema;
  if (!isObject(properties)) return schema;
  const changed = Object.entries(properties).map(([name, property]) => [name, change(name, property)]);
  return { ...schema, properties: Object.fromEntries(changed) };
};

/** `z.int()` bounds itself by what a JavaScript number can hold, which is no bound of ours. */
const withoutSafeBounds = (schema: { minimum?: number; maximum?: number }): void => {
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
};

const jsonSchema = (schema: ToolSpec['input'], io: 'input' | 'output'): Json => ({
  ...schema.toJSONSchema({
    io,
    target: 'draft-2020-12',
    override: ({ jsonSchema: made }) => withoutSafeBounds(made),
  }),
});

/** The input as JSON Schema 2020-12. `template` is an open string in the contract so that a wrong one has its own error. */
const inputSchema = (tool: ToolSpec): Json =>
  withProperties(jsonSchema(tool.input, 'input'), (name, property) => {
    const plain = withoutNull(property);
    return name === 'template' && isObject(plain) ? { ...plain, enum: Template.options } : plain;
  });

/** The page as MCP shows it: without a next page there is no token. */
const outputSchema = (output: ToolSpec['input']): Json => {
  const schema = withProperties(jsonSchema(output, 'output'), (name, property) =>
    name === 'nextPageToken' ? withoutNull(property) : property,
  );
  const { required } = schema;
  return Array.isArray(required)
    ? { ...schema, required: required.filter((name) => name !== 'nextPageToken') }
    : schema;
};

/** Every tool as `tools/list` names it, in the seed's order. */
export const toolDescriptions = () =>
  Object.values(TOOLS).map((tool: ToolSpec) => ({
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: { ...inputSchema(tool), type: 'object' as const },
    ...(tool.output === undefined ? {} : { outputSchema: { ...outputSchema(tool.output), type: 'object' as const } }),
    annotations: { title: tool.title, ...tool.annotations },
  }));
