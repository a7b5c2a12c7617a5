import { isAt, linesOf, nextAt, normalise, SECTION, type Lines } from './markdown.ts';

/** A requirement with everything under its heading, as written, without trailing blank lines. */
export interface Requirement {
  readonly name: string;
  readonly raw: string;
}

/** A line may hold U+2028, which ends no line here: where `.` stopped at it, long runs of blanks took minutes. */
export const REQUIREMENT = /^###\s*Requirement:\s*(.+)$/isu;
const SCENARIO = /^####\s+/u;
const HEADING = /^#{1,6}\s/u;
/** `**Priority**: high` and the like: not the statement, unless there is no other text. */
const FIELD = /^\*\*[^*]+\*\*:/u;

/** Without a closing run of `#`, which only a space or tab may separate: `C#` keeps its sign. */
export const requirementName = (heading: string): string => {
  const text = heading.trim();
  let end = text.length;
  while (text[end - 1] === '#') end -= 1;
  const closes = end < text.length && (text[end - 1] === ' ' || text[end - 1] === '\t');
  return closes ? text.slice(0, end).trimEnd() : text;
};

/** For finding near misses only: names themselves are compared exactly. */
export const foldName = (name: string): string => requirementName(name).toLowerCase().replaceAll(/\s+/gu, ' ');

export const nameAt = (lines: Lines, index: number): string | undefined => {
  const line = lines.text[index] ?? '';
  // Almost no line is one, and this tells so at once.
  if (!line.startsWith('###') || lines.fenced[index] !== false) return undefined;
  const heading = REQUIREMENT.exec(line)?.[1];
  return heading === undefined ? undefined : requirementName(heading);
};

/** Requirements of one section's body, in order. */
export const requirementsOf = (body: Lines): Requirement[] => {
  const found: { name: string; lines: string[] }[] = [];
  let open: string[] | undefined;
  for (const [index, line] of body.text.entries()) {
    const name = nameAt(body, index);
    if (name !== undefined) {
      open = [line];
      found.push({ name, lines: open });
    } else if (line.startsWith('##') && isAt(body, index, SECTION)) open = undefined;
    else open?.push(line);
  }
  return found.map(({ name, lines }) => ({ name, raw: lines.join('\n').trimEnd() }));
};

/** The statement: text up to the first heading, fences and blank lines left out, lines trimmed. */
export const statementOf = (body: Lines): string => {
  const lines = body.text
    .slice(0, nextAt(body, 0, HEADING))
    .filter((_, index) => body.fenced[index] === false)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const text = lines.filter((line) => !FIELD.test(line));
  return (text.length > 0 ? text : lines).join('\n');
};

/** Has it one? Without putting it together. */
export const hasStatement = (requirement: Requirement): boolean => {
  const { raw } = requirement;
  const second = raw.indexOf('\n') + 1;
  const end = raw.indexOf('\n', second);
  const line = second === 0 ? '' : raw.slice(second, end < 0 ? undefined : end);
  // Almost always it begins right below the heading: neither a heading nor a fence, so it needs no closer look.
  return (/^[\s\w*]*\w/u.test(line) && !line.includes('#')) || isStated(bodyOf(requirement));
};

const isStated = (body: Lines): boolean => {
  const end = nextAt(body, 0, HEADING);
  return body.text.some((line, index) => index < end && body.fenced[index] === false && line.trim() !== '');
};

/** Everything below the heading of a requirement. */
export const bodyOf = (requirement: Requirement): Lines => linesOf(requirement.raw.split('\n').slice(1));

export interface Scenario {
  readonly name: string;
  /** Without its heading, trimmed; an empty one does not count as a scenario. */
  readonly body: string;
}

/** Any level-4 heading opens a scenario, whatever its words; it ends at the next heading of level 1 to 4. */
export const scenariosOf = (body: Lines): Scenario[] => {
  const scenarios: Scenario[] = [];
  for (let at = nextAt(body, 0, SCENARIO); at < body.text.length; at = nextAt(body, at + 1, SCENARIO)) {
    const end = nextAt(body, at + 1, /^#{1,4}\s/u);
    const title = requirementName((body.text[at] ?? '').replace(SCENARIO, ''));
    scenarios.push({
      name: title.replace(/^Scenario:\s*/iu, '').trim(),
      body: body.text
        .slice(at + 1, end)
        .join('\n')
        .trim(),
    });
  }
  return scenarios;
};

/** RFC 2119 keyword as a whole word in capitals. */
export const hasKeyword = (text: string): boolean => /\b(?:SHALL|MUST)\b/u.test(text);

export const sameText = (a: Requirement, b: Requirement): boolean =>
  normalise(a.raw).trim() === normalise(b.raw).trim();
