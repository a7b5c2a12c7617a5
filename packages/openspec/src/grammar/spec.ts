import { nextAt, normalise, SECTION, sliceLines, toLines, type Lines } from './markdown.ts';
import { remembered } from './remembered.ts';
import { hasStatement, nameAt, requirementsOf, type Requirement } from './requirement.ts';

const REQUIREMENTS = /^##\s+Requirements\s*$/iu;
const DELTA_HEADING = /^##\s+(?:ADDED|MODIFIED|REMOVED|RENAMED)\s+Requirements\s*$/iu;

/** A main specification cut where a merge changes it. */
export interface SpecParts {
  readonly before: string;
  readonly heading: string;
  /** Text between the heading and the first requirement. */
  readonly preamble: string;
  readonly requirements: readonly Requirement[];
  readonly after: string;
}

export const parseSpec = remembered((text): SpecParts => {
  const lines = toLines(text);
  const heading = nextAt(lines, 0, REQUIREMENTS);
  if (heading === lines.text.length) {
    return { before: normalise(text).trimEnd(), heading: '## Requirements', preamble: '', requirements: [], after: '' };
  }
  const end = nextAt(lines, heading + 1, SECTION);
  const body = sliceLines(lines, heading + 1, end);
  const first = body.text.findIndex((_, index) => nameAt(body, index) !== undefined);
  return {
    before: lines.text.slice(0, heading).join('\n').trimEnd(),
    heading: lines.text[heading] ?? '',
    preamble: body.text
      .slice(0, first < 0 ? undefined : first)
      .join('\n')
      .trimEnd(),
    requirements: requirementsOf(body),
    after: lines.text.slice(end).join('\n').trim(),
  };
});

/** What makes a main specification unsafe to merge into; `line` is 1-based. */
export const structureProblems = remembered((text): readonly { line: number; message: string }[] => {
  const lines = toLines(text);
  const start = nextAt(lines, 0, REQUIREMENTS);
  const end = nextAt(lines, start + 1, SECTION);
  const seen = new Map<string, number>();
  return lines.text.flatMap((raw, index) => {
    if (!raw.startsWith('##') || lines.fenced[index] === true) return NONE;
    const line = index + 1;
    const heading = raw.trim();
    if (DELTA_HEADING.test(raw)) {
      return [
        {
          line,
          message: `Main spec contains delta header "${heading}". Delta headers are only valid inside openspec/changes/<name>/specs/<capability-path>/spec.md and truncate the parsed ## Requirements section.`,
        },
      ];
    }
    const name = nameAt(lines, index);
    if (name === undefined) return NONE;
    if (index <= start || index >= end) {
      // Here OpenSpec wants white space behind the signs. For duplicates it does too, and then loses one of them.
      if (!/^###\s/u.test(raw)) return NONE;
      return [
        {
          line,
          message: `Requirement header "${heading}" appears outside the main ## Requirements section. Main specs only parse requirements inside that section, so this requirement is currently invisible to validate, list, and archive.`,
        },
      ];
    }
    const first = seen.get(name);
    if (first === undefined) {
      seen.set(name, line);
      return NONE;
    }
    return [
      {
        line,
        message: `Requirement header "${heading}" duplicates the requirement declared on line ${first}. Requirement names must be unique so spec updates cannot discard one block while updating another.`,
      },
    ];
  });
});

/** One for all lines: almost every one has nothing to say. */
const NONE: readonly { line: number; message: string }[] = [];

interface Node {
  readonly level: number;
  readonly title: string;
  /** Line of the heading, 0-based, and the line where its content ends. */
  readonly start: number;
  readonly end: number;
}

/** Why a rebuilt specification must not be written; empty where it is valid (warnings do not count). */
export const specProblems = remembered((text): readonly string[] => {
  const lines = toLines(text);
  const nodes = headingsOf(lines);
  const find = (title: string): Node | undefined => nodes.find((node) => node.title.toLowerCase() === title);
  const purpose = find('purpose');
  if (purpose === undefined || !hasContent(lines, purpose)) return ['Spec must have a Purpose section'];
  const requirements = find('requirements');
  if (requirements === undefined) return ['Spec must have a Requirements section'];
  const children = childrenOf(nodes, requirements);
  return [
    ...(children.length === 0 ? ['Spec must have at least one requirement'] : []),
    ...children
      .filter((child) => !childrenOf(nodes, child).some((scenario) => hasContent(lines, scenario)))
      .map((child) => `"${child.title}": Requirement must have at least one scenario`),
    ...structureProblems(text).map(({ line, message }) => `line ${line}: ${message}`),
    ...parseSpec(text)
      .requirements.filter((requirement) => !hasStatement(requirement))
      .map(({ name }) => `Requirement "${name}" must contain SHALL or MUST`),
  ];
});

/** The Purpose that a reader of `text` sees; undefined where there is none. */
export const purposeOf = (text: string): string | undefined => {
  const lines = toLines(text);
  const node = headingsOf(lines).find(({ title }) => title.toLowerCase() === 'purpose');
  const content = node === undefined ? '' : contentOf(lines, node);
  return content === '' ? undefined : content;
};

const headingsOf = (lines: Lines): Node[] => {
  const nodes: { level: number; title: string; start: number; end: number }[] = [];
  let open: (typeof nodes)[number][] = [];
  lines.text.forEach((text, start) => {
    if (!text.startsWith('#') || lines.fenced[start] === true) return;
    const match = /^(#{1,6})\s+(\S.*)$/u.exec(text);
    if (match === null) return;
    const level = match[1]?.length ?? 0;
    for (const node of open) if (node.level >= level) node.end = start;
    const node = { level, title: match[2]?.trim() ?? '', start, end: lines.text.length };
    open = [...open.filter((other) => other.level < level), node];
    nodes.push(node);
  });
  return nodes;
};

const contentOf = (lines: Lines, { start, end }: Node): string =>
  lines.text
    .slice(start + 1, end)
    .join('\n')
    .trim();

const hasContent = (lines: Lines, { start, end }: Node): boolean => {
  for (let index = start + 1; index < end; index += 1) if (lines.text[index]?.trim() !== '') return true;
  return false;
};

/** Headings inside `parent` that no other heading inside it contains. */
const childrenOf = (nodes: readonly Node[], parent: Node): Node[] => {
  const children: Node[] = [];
  let free = parent.start + 1;
  for (let at = nodes.indexOf(parent) + 1; at < nodes.length; at += 1) {
    const node = nodes[at];
    if (node === undefined || node.start >= parent.end) break;
    if (node.start < free) continue;
    children.push(node);
    free = node.end;
  }
  return children;
};
