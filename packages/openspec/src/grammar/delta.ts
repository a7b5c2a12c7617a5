import { remembered } from './remembered.ts';
import { isAt, sectionsOf, toLines, type Lines, type Section } from './markdown.ts';
import { nameAt, REQUIREMENT, requirementName, requirementsOf, type Requirement } from './requirement.ts';

export const OPERATIONS = ['ADDED', 'MODIFIED', 'REMOVED', 'RENAMED'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** A heading that validation mentions: 1-based line, and the section it stands in. */
export interface Stray {
  readonly text: string;
  readonly line: number;
  readonly section: string | undefined;
}

/** What `specs/<capability>/spec.md` of a change asks for. */
export interface Delta {
  readonly added: readonly Requirement[];
  readonly modified: readonly Requirement[];
  readonly removed: readonly string[];
  readonly renamed: readonly { readonly from: string; readonly to: string }[];
  /** Operations whose section exists, also an empty one. */
  readonly sections: readonly Operation[];
  /** FROM or TO lines that never formed a pair. */
  readonly unpaired: readonly { readonly side: 'FROM' | 'TO'; readonly name: string; readonly line: number }[];
  /** Requirements outside of the delta sections: they are ignored. */
  readonly orphans: readonly Stray[];
  /** Level-3 headings in ADDED and MODIFIED that name no requirement. */
  readonly skipped: readonly Stray[];
}

/** One space between the words and any case, exactly as wide as OpenSpec reads it. */
const operationOf = (title: string | undefined): Operation | undefined => {
  const folded = title?.toLowerCase();
  return OPERATIONS.find((operation) => TITLES[operation] === folded);
};

const TITLES: Readonly<Record<Operation, string>> = {
  ADDED: 'added requirements',
  MODIFIED: 'modified requirements',
  REMOVED: 'removed requirements',
  RENAMED: 'renamed requirements',
};

export const parseDelta = remembered((text): Delta => {
  const lines = toLines(text);
  const sections = sectionsOf(lines);
  const by: Record<Operation, Section[]> = { ADDED: [], MODIFIED: [], REMOVED: [], RENAMED: [] };
  for (const section of sections) {
    const operation = operationOf(section.title);
    if (operation !== undefined) by[operation].push(section);
  }
  const renames = by.RENAMED.map(renamesOf);
  return {
    added: by.ADDED.flatMap(({ body }) => requirementsOf(body)),
    modified: by.MODIFIED.flatMap(({ body }) => requirementsOf(body)),
    removed: by.REMOVED.flatMap(({ body }) => removalsOf(body)),
    renamed: renames.flatMap(({ pairs }) => pairs),
    sections: OPERATIONS.filter((operation) => by[operation].length > 0),
    unpaired: renames.flatMap(({ unpaired }) => unpaired),
    orphans: orphansOf(lines, sections),
    skipped: [...skippedOf(by.ADDED), ...skippedOf(by.MODIFIED)].sort((a, b) => a.line - b.line),
  };
});

export const isEmptyDelta = (delta: Delta): boolean =>
  delta.added.length + delta.modified.length + delta.removed.length + delta.renamed.length === 0;

const removalsOf = (body: Lines): string[] =>
  body.text.flatMap((line, index) => {
    const name = nameAt(body, index);
    if (name !== undefined) return [name];
    const bullet = body.fenced[index] === false ? /^\s*[-*+]\s*`?###\s*Requirement:(.+)$/u.exec(line) : null;
    return bullet?.[1] === undefined ? [] : [quotedName(bullet[1])];
  });

/** A heading that may stand in backticks, of which the opening one is before the `###`. */
const quotedName = (rest: string): string => requirementName(rest.trimEnd().replace(/`$/u, ''));

/** Pairs are read within one section: a FROM never waits for the TO of another copy of the heading. */
const renamesOf = ({ body, line: heading }: Section): { pairs: Delta['renamed']; unpaired: Delta['unpaired'] } => {
  const pairs: { from: string; to: string }[] = [];
  const unpaired: Delta['unpaired'][number][] = [];
  let from: { name: string; line: number } | undefined;
  body.text.forEach((text, index) => {
    const match = /^\s*(?:[-*+]\s*)?(FROM|TO):\s*`?###\s*Requirement:(.+)$/u.exec(text);
    if (match?.[2] === undefined || body.fenced[index] === true) return;
    const entry = { name: quotedName(match[2]), line: heading + 1 + index };
    if (match[1] === 'FROM') {
      if (from !== undefined) unpaired.push({ side: 'FROM', ...from });
      from = entry;
    } else if (from === undefined) unpaired.push({ side: 'TO', ...entry });
    else {
      pairs.push({ from: from.name, to: entry.name });
      from = undefined;
    }
  });
  if (from !== undefined) unpaired.push({ side: 'FROM', ...from });
  return { pairs, unpaired };
};

const orphansOf = (lines: Lines, sections: readonly Section[]): Stray[] => {
  const orphans: Stray[] = [];
  lines.text.forEach((_, index) => {
    const text = nameAt(lines, index);
    if (text === undefined) return;
    const section = sections.findLast((candidate) => candidate.line <= index)?.title;
    if (operationOf(section) === undefined) orphans.push({ text, line: index + 1, section });
  });
  return orphans;
};

const skippedOf = (sections: readonly Section[]): Stray[] =>
  sections.flatMap(({ body, line }) =>
    body.text.flatMap((text, index) =>
      text.startsWith('###') && isAt(body, index, /^###\s+\S/u) && !REQUIREMENT.test(text)
        ? [{ text: text.replace(/^###\s+/u, '').trim(), line: line + 1 + index, section: sections[0]?.title }]
        : [],
    ),
  );
