import { linesOf, nextAt, toLines, type Lines } from '../grammar/markdown.ts';
import { parseSpec } from '../grammar/spec.ts';

const TITLE = /^ {0,3}#\s+\S/u;
const SECTION_TITLE = /^ {0,3}##\s+(.+)$/su;
const FOREIGN_HEADING = /^ {0,3}#{1,3}(?:[ \t]|$)/u;
const UNDERLINE = /^ {0,3}(?:=+|-+)\s*$/u;
const HTML_HEADING = /^ {0,3}<h[1-6]\b/iu;
const SCENARIO = /^ {0,3}####\s+Scenario:/iu;
const HEADING = /^ {0,3}#{1,6}(?:[ \t]|$)|^\s*<h[1-6]\b/iu;
const ITEM = /^([ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+)\S/u;
/** What begins something new right below a paragraph: a quote, a rule, a list, a table, HTML. */
const INTERRUPTION = /^ {0,3}(?:>|(?:[-*_][ \t]*){3,}$|(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)|[<|])/u;
/** Tables and HTML above the scenarios: more than a statement. */
const BEYOND_PROSE = /^\s*[|<]/u;

/**
 * Lines of a main specification that are neither its title, nor its Purpose, nor a part of a requirement. Retiring a
 * capability deletes the file, so one such line refuses it, as in OpenSpec; a line that cannot be judged is one.
 */
export const leftoversOf = (text: string): string[] => {
  const parts = parseSpec(text);
  const around = [parts.preamble, parts.after].flatMap((part) => part.split('\n')).map((line) => line.trim());
  const found = [
    ...leftoversAbove(toLines(parts.before)),
    ...around,
    ...parts.requirements.flatMap(({ raw }) => leftoversIn(linesOf(raw.split('\n')))),
  ];
  return [...new Set(found.filter((line) => line !== ''))];
};

/** Above the requirements only the title and the Purpose are expected. */
const leftoversAbove = (lines: Lines): string[] => {
  const found: string[] = [];
  let inPurpose = false;
  let hasTitle = false;
  lines.text.forEach((line, index) => {
    const above = lines.text[index - 1] ?? '';
    const isText = lines.fenced[index] === true;
    const section = isText ? undefined : SECTION_TITLE.exec(line)?.[1]?.trimEnd();
    const isUnderline = !isText && inPurpose && above.trim() !== '' && UNDERLINE.test(line);
    if (section !== undefined) {
      inPurpose = /^purpose$/iu.test(section);
      if (!inPurpose) found.push(line.trim());
    } else if (isUnderline || (!isText && HTML_HEADING.test(line))) {
      found.push((isUnderline ? above : line).trim());
      inPurpose = false;
    } else if (!isText && TITLE.test(line)) {
      if (hasTitle || inPurpose) found.push(line.trim());
      hasTitle = true;
      inPurpose = false;
    } else if (!inPurpose) found.push(line.trim());
  });
  return found;
};

/**
 * A requirement is its statement and, below each scenario's heading, one unbroken run of list items. An item goes on in
 * lines that stand as deep as its text, or that wrap its text further left.
 */
const leftoversIn = (lines: Lines): string[] => {
  const found = [lines.text[nextAt(lines, 1, FOREIGN_HEADING)]?.trim() ?? ''];
  const firstScenario = nextAt(lines, 1, SCENARIO);
  let run: 'none' | 'waits' | 'has-items' = 'none';
  let item: { readonly column: number; readonly isText: boolean } | undefined;
  lines.text.forEach((line, index) => {
    if (index === 0) return;
    const indent = columnsOf(/^[ \t]*/u.exec(line)?.[0] ?? '');
    const isInside = item !== undefined && indent >= item.column;
    if (line.trim() === '') {
      if (run === 'has-items') run = 'none';
      item = undefined;
      return;
    }
    if (lines.fenced[index] === true) {
      item = isInside && item !== undefined ? { ...item, isText: false } : undefined;
      return;
    }
    const shown = isInside && item !== undefined ? `${' '.repeat(indent - item.column)}${line.trimStart()}` : line;
    const above = lines.text[index - 1] ?? '';
    if (index > 1 && UNDERLINE.test(shown) && above.trim() !== '') {
      found.push(above.trim());
      item = undefined;
      return;
    }
    const wraps = item?.isText === true && run !== 'none' && !INTERRUPTION.test(shown);
    if (item !== undefined && (isInside || wraps) && !HEADING.test(shown)) {
      item = { ...item, isText: !INTERRUPTION.test(shown) };
      return;
    }
    const marker = ITEM.exec(line)?.[1];
    item = marker === undefined ? undefined : { column: columnsOf(marker), isText: true };
    if (SCENARIO.test(line)) run = 'waits';
    else if (marker !== undefined && run !== 'none') run = 'has-items';
    else if (index > firstScenario || (marker === undefined && BEYOND_PROSE.test(line))) found.push(line.trim());
  });
  return found;
};

/** Width of white space and a marker; a tab reaches to the next multiple of four. */
const columnsOf = (text: string): number => {
  let columns = 0;
  for (const char of text) columns += char === '\t' ? 4 - (columns % 4) : 1;
  return columns;
};
