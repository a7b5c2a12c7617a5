import { isAt, nextAt, normalise, SECTION, toLines } from './markdown.ts';
import { purposeOf, structureProblems } from './spec.ts';

/** A Purpose below this length gets a warning from `openspec validate --strict`. */
export const MIN_PURPOSE_LENGTH = 50;

/** The `## Purpose` of a delta, as written; undefined where it is absent, or only a comment or a sample. */
export const deltaPurpose = (text: string): string | undefined => {
  const visible = toLines(withoutComments(normalise(text)));
  const start = nextAt(visible, 0, /^##\s+Purpose\s*$/iu);
  if (start === visible.text.length) return undefined;
  const end = nextAt(visible, start + 1, SECTION);
  const hasProse = visible.text.slice(start + 1, end).some((_, index) => isAt(visible, start + 1 + index, /\S/u));
  if (!hasProse) return undefined;
  return toLines(text)
    .text.slice(start + 1, end)
    .join('\n')
    .trim();
};

/** A new main specification before its first requirement. */
export const skeleton = (capability: string, slug: string, purpose?: string): string => {
  const body = purpose ?? `TBD - created by archiving change ${slug}. Update Purpose after archive.`;
  return `# ${capability} Specification\n\n## Purpose\n${body}\n\n## Requirements\n`;
};

/** The Purpose a skeleton would carry; undefined where taking it over would hide or break what comes below it. */
export const carriedPurpose = (text: string): string | undefined =>
  text.includes('<!--') || structureProblems(text).length > 0 || !hasRequirements(text) ? undefined : purposeOf(text);

const hasRequirements = (text: string): boolean => {
  const lines = toLines(text);
  return nextAt(lines, 0, /^#{1,6}\s+Requirements\s*$/iu) < lines.text.length;
};

/** Comments blanked, line for line; one that is never closed hides the rest. */
const withoutComments = (text: string): string => {
  let out = '';
  let at = 0;
  for (;;) {
    const open = text.indexOf('<!--', at);
    if (open < 0) return out + text.slice(at);
    const close = /--!?>/gu;
    close.lastIndex = open + 4;
    const end = close.test(text) ? close.lastIndex : text.length;
    out += text.slice(at, open) + text.slice(open, end).replaceAll(/[^\n]/gu, ' ');
    at = end;
  }
};
