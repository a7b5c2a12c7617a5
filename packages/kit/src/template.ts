/** One piece of a template: text, or a name between double braces with the source that it came from. */
export type TemplatePart = string | { readonly name: string; readonly source: string };

/** Longer than any name or path that somebody writes; what is longer between braces is text. */
const MAX_NAME = 256;

const isName = (text: string): boolean => text !== '' && text.length <= MAX_NAME && !/[\r\n]/u.test(text);

/**
 * Splits `Hello {{ name }}` into its parts, in one pass and in time linear in its length whatever it holds. A name is
 * what stands between the innermost braces, trimmed; braces without a partner are text.
 */
export const parseTemplate = (template: string): readonly TemplatePart[] => {
  const parts: TemplatePart[] = [];
  let done = 0;
  let from = 0;
  for (;;) {
    const close = template.indexOf('}}', from);
    if (close === -1) break;
    // Looks back no further than the last match, so that every character is read twice at most.
    const open = template.slice(from, close).lastIndexOf('{{') + from;
    const name = open < from ? '' : template.slice(open + 2, close).trim();
    if (isName(name)) {
      if (open > done) parts.push(template.slice(done, open));
      parts.push({ name, source: template.slice(open, close + 2) });
      done = close + 2;
    }
    from = close + 2;
  }
  if (done < template.length) parts.push(template.slice(done));
  return parts;
};

/** Names that a template asks for, each once, in order. */
export const templateNames = (template: string): readonly string[] => [
  ...new Set(parseTemplate(template).flatMap((part) => (typeof part === 'string' ? [] : [part.name]))),
];

/**
 * Fills a template. Values are put in as they are and never read as a template again; a name whose value is undefined
 * stays as it was written.
 */
export const fillTemplate = (template: string, valueOf: (name: string) => string | undefined): string =>
  parseTemplate(template)
    .map((part) => (typeof part === 'string' ? part : (valueOf(part.name) ?? part.source)))
    .join('');

/** Values by name for `fillTemplate`; only the record's own, so that `constructor` and `__proto__` name nothing. */
export const ownValues =
  (values: Readonly<Record<string, string>>) =>
  (name: string): string | undefined =>
    Object.hasOwn(values, name) ? values[name] : undefined;
