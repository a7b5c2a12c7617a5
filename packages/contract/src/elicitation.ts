import * as z from 'zod';

/** A server asks a person for something while it works on a call. */
export interface McpElicitation {
  readonly server: string;
  readonly mode: 'form' | 'url';
  readonly message: string;
  /** Of a form: JSON Schema of the answer, an object of texts, numbers, yes or no, and choices. */
  readonly schema?: Readonly<Record<string, unknown>>;
  /** To be opened by a person, never by us. */
  readonly url?: string;
  /** The call that it is about, where only one was running. */
  readonly call?: { readonly tool: string; readonly idempotencyKey: string };
}

/** Values of a form. */
export type FormContent = Readonly<Record<string, string | number | boolean | string[]>>;

export interface McpElicitationAnswer {
  readonly action: 'accept' | 'decline' | 'cancel';
  readonly content?: FormContent;
}

/** `request` of an approval of the kind `elicitation`. */
export const ElicitationRequest = z.object({
  server: z.string(),
  tool: z.string(),
  message: z.string(),
  mode: z.enum(['form', 'url']),
  /** To be opened by the person who approves. */
  url: z.string().exactOptional(),
  schema: z.record(z.string(), z.unknown()).exactOptional(),
  /** Of a form: its values as JSON, with the defaults of the server; what is approved goes on, or what it was edited to. */
  text: z.string().exactOptional(),
});
export interface ElicitationRequest extends z.infer<typeof ElicitationRequest> {}

const Choice = z.object({ const: z.string(), title: z.string().optional() });
const Choices = z.object({ enum: z.array(z.string()).optional(), anyOf: z.array(Choice).optional() });

/** What the protocol allows in a form (2025-11-25 "Requested Schema"); what else a schema says is left to the server. */
const Property = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('string'),
    title: z.string().optional(),
    minLength: z.number().optional(),
    maxLength: z.number().optional(),
    enum: z.array(z.string()).optional(),
    oneOf: z.array(Choice).optional(),
    default: z.string().optional(),
  }),
  z.object({
    type: z.enum(['number', 'integer']),
    title: z.string().optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    default: z.number().optional(),
  }),
  z.object({ type: z.literal('boolean'), title: z.string().optional(), default: z.boolean().optional() }),
  z.object({
    type: z.literal('array'),
    title: z.string().optional(),
    minItems: z.number().optional(),
    maxItems: z.number().optional(),
    items: Choices,
    default: z.array(z.string()).optional(),
  }),
]);
type Property = z.infer<typeof Property>;

const Form = z.object({
  properties: z.record(z.string(), z.unknown()).default({}),
  required: z.array(z.string()).default([]),
});

/** Names to their properties; one that is of no kind that we know takes any text. */
const propertiesOf = (
  schema: unknown,
): { readonly fields: ReadonlyMap<string, Property>; readonly required: ReadonlySet<string> } => {
  const { data } = Form.safeParse(schema);
  const fields = Object.entries(data?.properties ?? {}).map(([name, property]): [string, Property] => [
    name,
    Property.safeParse(property).data ?? { type: 'string' },
  ]);
  return { fields: new Map(fields), required: new Set(data?.required) };
};

/** The form as a person begins to fill it in: defaults of the server, and `null` for what is required and has none. */
export const emptyForm = (schema: unknown): Readonly<Record<string, FormContent[string] | null>> => {
  const { fields, required } = propertiesOf(schema);
  const shown = [...fields].filter(([name, field]) => field.default !== undefined || required.has(name));
  return Object.fromEntries(shown.map(([name, field]) => [name, field.default ?? null]));
};

const choicesOf = (field: Property): readonly string[] => {
  if (field.type === 'string') return field.enum ?? field.oneOf?.map((choice) => choice.const) ?? [];
  if (field.type === 'array') return field.items.enum ?? field.items.anyOf?.map((choice) => choice.const) ?? [];
  return [];
};

/** Why a value is none for a field, or undefined. */
const problemOf = (field: Property, value: unknown): string | undefined => {
  const choices = choicesOf(field);
  const foreign = (text: string): boolean => choices.length > 0 && !choices.includes(text);
  switch (field.type) {
    case 'string':
      if (typeof value !== 'string') return 'must be a text';
      if (foreign(value)) return `must be one of ${choices.join(', ')}`;
      if (value.length < (field.minLength ?? 0)) return `must have ${field.minLength ?? 0} characters or more`;
      return value.length > (field.maxLength ?? Infinity)
        ? `must have ${field.maxLength ?? 0} characters or fewer`
        : undefined;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'must be true or false';
    case 'array':
      if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) return 'must be a list of texts';
      if ((value as string[]).some(foreign)) return `must have only ${choices.join(', ')}`;
      return value.length < (field.minItems ?? 0) || value.length > (field.maxItems ?? Infinity)
        ? 'has too few or too many items'
        : undefined;
    default:
      if (typeof value !== 'number' || !Number.isFinite(value)) return 'must be a number';
      if (field.type === 'integer' && !Number.isInteger(value)) return 'must be a whole number';
      if (value < (field.minimum ?? -Infinity)) return `must be ${field.minimum ?? 0} or more`;
      return value > (field.maximum ?? Infinity) ? `must be ${field.maximum ?? 0} or less` : undefined;
  }
};

/** Reads a filled-in form: an object, or its JSON. `problem` says in words what does not fit. */
export const readForm = (
  schema: unknown,
  filled: unknown,
): { readonly content: FormContent } | { readonly problem: string } => {
  const { fields, required } = propertiesOf(schema);
  const value = typeof filled === 'string' ? toJson(filled) : filled;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { problem: `it must be a JSON object with ${[...fields.keys()].join(', ') || 'nothing in it'}` };
  // What was not filled in is not given.
  const given = new Map<string, unknown>(Object.entries(value).filter(([, one]) => one !== null));
  for (const name of given.keys()) if (!fields.has(name)) return { problem: `it has no field ${name}` };
  for (const [name, field] of fields) {
    if (!given.has(name)) {
      if (required.has(name)) return { problem: `${name} is missing` };
      continue;
    }
    const problem = problemOf(field, given.get(name));
    if (problem !== undefined) return { problem: `${name} ${problem}` };
  }
  return { content: Object.fromEntries(given) as FormContent }; // checked field by field
};

const toJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
