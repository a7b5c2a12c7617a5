import { createRequire } from 'node:module';
import { TEMPLATES, type Template } from '@cloutagent/contract';
import type * as Yaml from 'yaml';
import { remembered } from './grammar/remembered.ts';
import { readPlainYaml } from './plain-yaml.ts';

export const META_FILE = '.openspec.yaml';

/** A claim on a change until `since` + `ttl`; its expiry never deletes or archives anything. */
export interface Lease {
  readonly owner: string;
  /** ISO 8601. */
  readonly since: string;
  /** Seconds. */
  readonly ttl: number;
  readonly tokenId?: string;
}

/** What we read from `.openspec.yaml`. All of it is optional: other tools write this file too. */
export interface Meta {
  readonly schema?: string;
  /** ISO 8601; OpenSpec's own `created` knows only the day. */
  readonly opened?: string;
  readonly title?: string;
  readonly owner?: string;
  readonly template?: Template;
  readonly lease?: Lease;
  /** SHA-256 (hex) of each file as open wrote it, by relative path. */
  readonly scaffold?: Readonly<Record<string, string>>;
  readonly skipSpecs: boolean;
  /** Why OpenSpec would not honour `skip_specs`; undefined where it is absent or fine. */
  readonly skipSpecsProblem?: string;
  /** Is it there, but no YAML mapping? Then it gives no keys. */
  readonly isUnreadable: boolean;
  /** May an archive delete the specification whose last requirement it removes? */
  readonly retireCapabilities: boolean;
}

/** Reads what it can; a file that is no YAML mapping gives no keys. */
export const parseMeta = (text: string | undefined): Meta => (text === undefined ? metaOf(new Map()) : metaIn(text));

const metaIn = remembered((text): Meta => metaOf(keysOf(text)));

const metaOf = (found: ReadonlyMap<string, unknown> | undefined): Meta => {
  const keys = found ?? new Map<string, unknown>();
  const created = dayOf(keys.get('created'));
  const opened = isoOf(keys.get('opened')) ?? created;
  const template = TEMPLATES.find((name) => name === keys.get('template'));
  const lease = leaseOf(keys.get('lease'));
  const scaffold = scaffoldOf(keys.get('scaffold'));
  const problem = markerProblem(keys, 'skip_specs');
  return {
    ...optional('schema', textOf(keys.get('schema'))),
    ...optional('opened', opened),
    ...optional('title', textOf(keys.get('title'))),
    ...optional('owner', textOf(keys.get('owner'))),
    ...optional('template', template),
    ...optional('lease', lease),
    ...optional('scaffold', scaffold),
    skipSpecs: keys.get('skip_specs') === true && problem === undefined,
    ...optional('skipSpecsProblem', problem),
    isUnreadable: found === undefined,
    retireCapabilities:
      keys.get('retire_capabilities') === true && markerProblem(keys, 'retire_capabilities') === undefined,
  };
};

/** Loaded when a file needs it: almost every one is plain, and the parser takes longer to load than a change to read. */
const yaml = (): typeof Yaml => {
  // What is installed under this name is this package.
  loaded ??= createRequire(import.meta.url)('yaml') as typeof Yaml;
  return loaded;
};
let loaded: typeof Yaml | undefined;

/** The same file with keys set; comments, order and keys of other tools stay. */
export const updateMeta = (text: string | undefined, values: Readonly<Record<string, unknown>>): string => {
  const document = yaml().parseDocument(text ?? '');
  for (const [key, value] of Object.entries(values)) document.set(key, value);
  return document.toString({ lineWidth: 0 });
};

/** Can our keys be added without losing what is there? */
export const isReadableMeta = (text: string | undefined): boolean => {
  const document = yaml().parseDocument(text ?? '');
  return document.errors.length === 0 && (document.contents === null || yaml().isMap(document.contents));
};

/** Undefined for what is no mapping. A Map, for keys are foreign text; the parser's own limit on aliases keeps a small file from growing large. */
const keysOf = (text: string): ReadonlyMap<string, unknown> | undefined => {
  const plain = readPlainYaml(text);
  if (plain !== undefined) return plain;
  const value = yamlOf(text);
  if (value === undefined) return undefined;
  return new Map(value === null || typeof value !== 'object' ? [] : Object.entries(value));
};

/** Any document; undefined where it is no YAML mapping. The parser's own limit on aliases ends as one, too. */
export const yamlOf = (text: string): unknown => {
  if (!isReadableMeta(text)) return undefined;
  try {
    const value: unknown = yaml().parseDocument(text).toJS();
    return value;
  } catch {
    return undefined;
  }
};

const optional = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  // A computed key loses its literal type; it is K by construction.
  (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

const isoOf = (value: unknown): string | undefined => {
  const time = typeof value === 'number' ? value : typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isFinite(time) && Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : undefined;
};

const dayOf = (value: unknown): string | undefined =>
  typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/u.test(value) ? isoOf(value) : undefined;

/** A day, as in the input of `change.open`: a hand-written lease cannot hold a change for ever. */
const LONGEST_TTL_S = 86_400;

const leaseOf = (value: unknown): Lease | undefined => {
  if (value === null || typeof value !== 'object') return undefined;
  const lease = new Map<string, unknown>(Object.entries(value));
  const owner = textOf(lease.get('owner'));
  const since = isoOf(lease.get('since'));
  const ttl = lease.get('ttl');
  if (owner === undefined || since === undefined || typeof ttl !== 'number' || !(ttl > 0)) return undefined;
  return {
    owner,
    since,
    ttl: Math.min(ttl, LONGEST_TTL_S),
    ...optional('tokenId', textOf(lease.get('tokenId'))),
  };
};

const scaffoldOf = (value: unknown): Readonly<Record<string, string>> | undefined => {
  if (value === null || typeof value !== 'object') return undefined;
  const entries = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
};

/** OpenSpec honours a marker only in a file that it can load as a whole; undefined where it is absent or fine. */
const markerProblem = (
  keys: ReadonlyMap<string, unknown>,
  marker: 'skip_specs' | 'retire_capabilities',
): string | undefined => {
  if (!keys.has(marker)) return undefined;
  if (textOf(keys.get('schema')) === undefined) return 'schema: schema is required';
  const created = keys.get('created');
  if (created !== undefined && dayOf(created) === undefined) return 'created: created must be YYYY-MM-DD format';
  if (typeof keys.get(marker) !== 'boolean') return `${marker}: must be true or false`;
  return undefined;
};
