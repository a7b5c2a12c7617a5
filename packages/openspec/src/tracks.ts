import { statSync } from 'node:fs';
import path from 'node:path';
import { readLenient } from './listing/lenient.ts';
import { yamlOf } from './meta.ts';

export const TASKS_FILE = 'tasks.md';
/** A folder of `openspec/schemas`, never a way out of it. */
const SCHEMA_NAME = /^[A-Za-z0-9][\w.-]*$/u;

/** Has the project workflow schemas of its own? Without one, tasks are in `tasks.md`. */
export const hasSchemas = (boundary: string): boolean =>
  statSync(path.join(boundary, 'schemas'), { throwIfNoEntry: false }) !== undefined;

/**
 * Where the tasks of a change are, as its workflow schema says (`apply.tracks`): a pattern below the folder of the
 * change. `boundary` is the real path of the openspec folder, `schema` what the change names, else the project's.
 */
export const trackPattern = (boundary: string, schema: string | undefined): string => {
  if (!hasSchemas(boundary)) return TASKS_FILE;
  const name = schema ?? textAt(yamlIn(boundary, 'config.yaml'), 'schema');
  if (name === undefined || !SCHEMA_NAME.test(name)) return TASKS_FILE;
  const document = yamlIn(boundary, path.join('schemas', name, 'schema.yaml'));
  const tracks = textAt(memberOf(document, 'apply'), 'tracks');
  const artifacts = memberOf(document, 'artifacts');
  const all: readonly unknown[] = Array.isArray(artifacts) ? artifacts : [];
  const found = all.find((artifact) =>
    tracks === undefined ? textAt(artifact, 'id') === 'tasks' : textAt(artifact, 'generates') === tracks,
  );
  return textAt(found, 'generates') ?? TASKS_FILE;
};

/** The files of a change that hold its tasks, by name in its folder; `tasks.md` where the pattern finds none. */
export const trackedNames = (names: readonly string[], pattern: string): string[] => {
  const found = names.filter((name) => matches(name.split('/'), pattern.split('/')));
  return found.length === 0 ? [TASKS_FILE] : found;
};

/** `**` stands for any folders, also none; `*` and `?` stay within one name. */
const matches = (name: readonly string[], pattern: readonly string[]): boolean => {
  const [first, ...rest] = pattern;
  if (first === undefined) return name.length === 0;
  // Two in a row say no more than one, and would be tried in every combination.
  if (first === '**' && rest[0] === '**') return matches(name, rest);
  if (first === '**') return name.some((_, index) => matches(name.slice(index), rest)) || matches([], rest);
  const [part, ...others] = name;
  return part !== undefined && matchesPart(part, first) && matches(others, rest);
};

/** Two pointers and one place to go back to: linear, whatever the pattern. */
const matchesPart = (text: string, pattern: string): boolean => {
  let [at, in_] = [0, 0];
  let [star, resume] = [-1, 0];
  while (at < text.length) {
    if (pattern[in_] === '*') [star, resume, in_] = [in_, at, in_ + 1];
    else if (in_ < pattern.length && (pattern[in_] === '?' || pattern[in_] === text[at])) [at, in_] = [at + 1, in_ + 1];
    else if (star >= 0) [resume, at, in_] = [resume + 1, resume + 1, star + 1];
    else return false;
  }
  return /^\**$/u.test(pattern.slice(in_));
};

/** Texts that were parsed, so that a listing parses each file once: a project has a handful of schemas. */
const parsed = new Map<string, unknown>();
const MAX_PARSED = 16;

const yamlIn = (boundary: string, name: string): unknown => {
  const text = readLenient(boundary, path.join(boundary, name))?.text;
  if (text === undefined) return undefined;
  if (!parsed.has(text)) {
    if (parsed.size >= MAX_PARSED) parsed.clear();
    // What OpenSpec cannot read either counts `tasks.md`.
    parsed.set(text, yamlOf(text));
  }
  return parsed.get(text);
};

const memberOf = (value: unknown, key: string): unknown =>
  value !== null && typeof value === 'object' && Object.hasOwn(value, key)
    ? new Map(Object.entries(value)).get(key)
    : undefined;

const textAt = (value: unknown, key: string): string | undefined => {
  const found = memberOf(value, key);
  return typeof found === 'string' && found !== '' ? found : undefined;
};
