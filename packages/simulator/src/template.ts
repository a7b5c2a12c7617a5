/** Values of a template's placeholders, such as `match.1`. */
export type Bindings = ReadonlyMap<string, string>;

const OPEN = '{{';
const CLOSE = '}}';

type Part = { readonly text: string } | { readonly name: string };

/** One pass from left to right: what a placeholder brings in is never looked at again. `\{{` is a literal `{{`. */
const scan = (template: string): readonly Part[] => {
  const parts: Part[] = [];
  let at = 0;
  for (let open = template.indexOf(OPEN, at); open >= 0; open = template.indexOf(OPEN, at)) {
    if (template[open - 1] === '\\' && open > at) {
      parts.push({ text: template.slice(at, open - 1) + OPEN });
      at = open + OPEN.length;
      continue;
    }
    const close = template.indexOf(CLOSE, open);
    if (close < 0) break;
    parts.push({ text: template.slice(at, open) }, { name: template.slice(open + OPEN.length, close).trim() });
    at = close + CLOSE.length;
  }
  return [...parts, { text: template.slice(at) }];
};

/** Names of the placeholders in a template. */
export const placeholders = (template: string): readonly string[] =>
  scan(template).flatMap((part) => ('name' in part ? [part.name] : []));

/** A placeholder without a value becomes nothing: a group of a regular expression may not have taken part. */
export const fill = (template: string, bindings: Bindings): string =>
  scan(template)
    .map((part) => ('text' in part ? part.text : (bindings.get(part.name) ?? '')))
    .join('');

/** Fills every string in a JSON value; keys stay as they are. */
export const fillDeep = (value: unknown, bindings: Bindings): unknown => {
  if (typeof value === 'string') return fill(value, bindings);
  if (Array.isArray(value)) return value.map((item) => fillDeep(item, bindings));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fillDeep(member, bindings)]));
};
