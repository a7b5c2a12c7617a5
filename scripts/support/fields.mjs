import * as z from 'zod';

/** Text that may stand in a cell of a Markdown table. */
const cell = (text) =>
  String(text)
    .replaceAll('|', String.raw`\|`)
    .replaceAll(/\s*\n\s*/g, ' ');

export const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

const literal = (value) => `\`${JSON.stringify(value)}\``;

/** A JSON schema in a few words, such as `string, 1–200 characters` or `list of Money`. */
const typeOf = (schema) => {
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) return [...new Set(alternatives.map(typeOf))].join(' or ');
  if (schema.const !== undefined) return literal(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(literal).join(', ');
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}`;
  if (schema.type === 'object') {
    const names = Object.keys(schema.properties ?? {});
    return names.length === 0 ? 'object' : `{${names.join(', ')}}`;
  }
  if (schema.type === undefined) return 'any value';
  return [[schema.type].flat().join(' or '), ...bounds(schema)].join(', ');
};

const span = (from, to, unit) => {
  if (from === undefined && to === undefined) return [];
  if (to === undefined) return [`≥ ${from}${unit}`];
  return [from === undefined ? `≤ ${to}${unit}` : `${from}–${to}${unit}`];
};

/** Zod writes the range of safe integers as bounds; they tell nobody anything. */
const told = (bound) => (Math.abs(bound) >= Number.MAX_SAFE_INTEGER ? undefined : bound);

const bounds = (schema) => [
  ...span(schema.minLength, schema.maxLength, ' characters'),
  ...span(told(schema.minimum ?? Infinity), told(schema.maximum ?? Infinity), ''),
  ...(schema.pattern === undefined ? [] : [`matches \`${schema.pattern}\``]),
];

const required = (schema, name) => (schema.required ?? []).includes(name);

/**
 * The fields of a zod object as a Markdown table. `io: 'input'` is what a caller sends, `'output'` what it gets.
 * @param {z.ZodType} schema
 * @param {'input' | 'output'} io
 */
export const fields = (schema, io) => {
  const json = z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' });
  const rows = Object.entries(json.properties ?? {}).map(([name, field]) => [
    `\`${name}\``,
    typeOf(field),
    required(json, name) && field.default === undefined ? 'yes' : 'no',
    field.default === undefined ? '' : literal(field.default),
  ]);
  if (rows.length === 0) return `_${typeOf(json)}_`;
  return io === 'input'
    ? table(['field', 'type', 'required', 'default'], rows)
    : table(
        ['field', 'type'],
        rows.map(([name, type]) => [name, type]),
      );
};
