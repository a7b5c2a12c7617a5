import type { RequestContext } from '@cloutagent/http';
import { decodeHeaderValue } from './header-value.ts';
import { isObject } from './wire.ts';

/** An argument that a tool's schema wants repeated in the header `Mcp-Param-<name>` (`x-mcp-header`, SEP-2243). */
interface Mirrored {
  readonly header: string;
  readonly value: string | number | boolean;
}

/** Arguments deeper than this are no routing keys. */
const MAX_DEPTH = 8;

const mirroredIn = (schema: unknown, value: unknown, depth = 0): readonly Mirrored[] => {
  const properties = isObject(schema) ? schema['properties'] : undefined;
  if (!isObject(properties) || !isObject(value) || depth > MAX_DEPTH) return [];
  return Object.entries(properties).flatMap(([name, property]) => {
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    const header = isObject(property) ? property['x-mcp-header'] : undefined;
    const primitive = typeof given === 'string' || typeof given === 'number' || typeof given === 'boolean';
    if (typeof header === 'string' && primitive) return [{ header: `mcp-param-${header.toLowerCase()}`, value: given }];
    return mirroredIn(property, given, depth + 1);
  });
};

/** The first header that is missing or says something else than the argument; undefined where all agree. */
export const wrongParamHeader = (
  schema: unknown,
  args: unknown,
  headers: RequestContext['headers'],
): Mirrored | undefined =>
  mirroredIn(schema, args).find(({ header, value }) => {
    const sent = headers[header];
    const decoded = typeof sent === 'string' ? decodeHeaderValue(sent) : undefined;
    if (decoded === undefined) return true;
    return typeof value === 'number' && decoded !== '' ? Number(decoded) !== value : decoded !== String(value);
  });
