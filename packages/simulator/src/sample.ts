import { isRecord } from './request.ts';

type Schema = Readonly<Record<string, unknown>>;

/** A schema may refer to itself; no answer that anybody wants is nested deeper. */
const DEEPEST = 16;

/** The simplest value that a schema allows: first choice of each enum, required members alone, words that say where they are from. */
export const sampleOf = (schema: Schema): unknown => sample(schema, schema, 0);

const sample = (schema: unknown, root: Schema, depth: number): unknown => {
  if (!isRecord(schema) || depth > DEEPEST) return null;
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  if (typeof schema['$ref'] === 'string') return sample(resolve(schema['$ref'], root), root, depth + 1);
  for (const key of ['anyOf', 'oneOf', 'allOf']) {
    const choices = schema[key];
    if (Array.isArray(choices)) return sample(choices[0], root, depth + 1);
  }
  const { type } = schema;
  return ofType(Array.isArray(type) ? type[0] : type, schema, root, depth);
};

const ofType = (type: unknown, schema: Schema, root: Schema, depth: number): unknown => {
  switch (type) {
    case 'object': {
      const properties = isRecord(schema['properties']) ? schema['properties'] : {};
      const required = Array.isArray(schema['required']) ? schema['required'].map(String) : [];
      return Object.fromEntries(required.map((name) => [name, sample(properties[name], root, depth + 1)]));
    }
    case 'array': {
      const least = typeof schema['minItems'] === 'number' ? Math.min(schema['minItems'], 100) : 0;
      return Array.from({ length: least }, () => sample(schema['items'], root, depth + 1));
    }
    case 'integer':
    case 'number':
      return typeof schema['minimum'] === 'number' ? schema['minimum'] : 0;
    case 'boolean':
      return false;
    case 'string':
      return 'simulated';
    default:
      return null;
  }
};

const resolve = (reference: string, root: Schema): unknown =>
  reference
    .replace(/^#\/?/u, '')
    .split('/')
    .filter((step) => step !== '')
    .reduce<unknown>((value, step) => (isRecord(value) ? value[step] : undefined), root);
