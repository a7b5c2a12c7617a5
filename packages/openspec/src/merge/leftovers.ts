import { isAt, linesOf, nextAt, sliceLines, toLines, type Lines } from '../grammar/markdown.ts';
import { parseSpec } from '../grammar/spec.ts';

const TITLE = /^ {0,3}#\s+\S/u;
const SECTION_TITLE = /^ {0,3}##\s+(.+?)\s*$/u;
const FOREIGN_HEADING = /^ {0,3}#{1,3}(?:[ \t]|$)/u;
const UNDERLINE = /^ {0,3}(?:=+|-+)\s*$/u;
const HTML_HEADING = /^ {0,3}<h[1-6]\b/iu;
const SCENARIO = /^ {0,3}####\s+Scenario:/iu;
const BULLET = /^\s*(?:[-*]|\d+[.)])\s/u;
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
    const section = isText ? undefined : SECTION_TITLE.exec(line)?.[1];
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

/** A requirement is its statement and, below each scenario's heading, one unbroken run of bullets. */
const leftoversIn = (lines: Lines): string[] => {
  const found: string[] = [];
  const scenario = nextAt(lines, 1, SCENARIO);
  const tail = nextAt(lines, 1, FOREIGN_HEADING);
  found.push(lines.text[tail]?.trim() ?? '');
  const statement = sliceLines(lines, 0, scenario);
  statement.text.forEach((line, index) => {
    if (index === 0 || lines.fenced[index] === true) return;
    if (isHeadingUnderline(lines, index)) found.push(lines.text[index - 1]?.trim() ?? '');
    else if (BEYOND_PROSE.test(line)) found.push(line.trim());
  });
  let isOpen = false;
  let hasBullet = false;
  for (let index = scenario; index < lines.text.length; index += 1) {
    const line = lines.text[index] ?? '';
    if (line.trim() === '') isOpen = isOpen && !hasBullet;
    else if (isAt(lines, index, SCENARIO)) {
      isOpen = true;
      hasBullet = false;
    } else if (lines.fenced[index] === true) continue;
    else if (isHeadingUnderline(lines, index)) found.push(lines.text[index - 1]?.trim() ?? '');
    else if (isOpen && BULLET.test(line)) hasBullet = true;
    else found.push(line.trim());
  }
  return found;
};

const isHeadingUnderline = (lines: Lines, index: number): boolean =>
  index > 1 && isAt(lines, index, UNDERLINE) && (lines.text[index - 1] ?? '').trim() !== '';
