import { remembered } from './remembered.ts';

/** Lines of a document and which of them belong to a fenced code block, where nothing is structure. */
export interface Lines {
  readonly text: readonly string[];
  /** True for every line of a fence, its delimiters included. */
  readonly fenced: readonly boolean[];
}

/** Text as the grammar sees it: no byte order mark, every line break a line feed. */
export const normalise = (text: string): string => {
  const whole = text.startsWith('\uFEFF') ? text.slice(1) : text;
  return whole.includes('\r') ? whole.replaceAll(/\r\n?/gu, '\n') : whole;
};

export const toLines = remembered((text): Lines => linesOf(normalise(text).split('\n')));

export const linesOf = (text: readonly string[]): Lines => ({ text, fenced: fences(text) });

/** A closer has the opener's character, is at least as long and carries nothing else. */
const fences = (lines: readonly string[]): boolean[] => {
  let open: string | undefined;
  return lines.map((line) => {
    // Almost no line holds one, and this tells so in a tenth of the time.
    const mayFence = line.includes('```') || line.includes('~~~');
    const run = mayFence ? /^\s*(`{3,}|~{3,})/u.exec(line)?.[1] : undefined;
    if (open === undefined) {
      open = run;
      return run !== undefined;
    }
    if (run !== undefined && run[0] === open[0] && run.length >= open.length && line.trim() === run) open = undefined;
    return true;
  });
};

/** A slice that keeps the fences of the whole. */
export const sliceLines = (lines: Lines, start: number, end?: number): Lines => ({
  text: lines.text.slice(start, end),
  fenced: lines.fenced.slice(start, end),
});

/** Is line `index` outside of fences and like `pattern`? */
export const isAt = (lines: Lines, index: number, pattern: RegExp): boolean =>
  lines.fenced[index] === false && pattern.test(lines.text[index] ?? '');

/**
 * First line from `from` on that is outside of fences and like `pattern`, which is one of headings; the number of lines
 * where there is none.
 */
export const nextAt = (lines: Lines, from: number, pattern: RegExp): number => {
  const { text } = lines;
  let index = from;
  // Without the sign of a heading a line needs no closer look.
  while (index < text.length && !(text[index]?.includes('#') === true && isAt(lines, index, pattern))) index += 1;
  return index;
};

export const SECTION = /^##\s+/u;

/** `## ` sections in order; `line` is the 1-based number of the heading. */
export interface Section {
  readonly title: string;
  readonly line: number;
  readonly body: Lines;
}

export const sectionsOf = (lines: Lines): Section[] => {
  const sections: Section[] = [];
  for (let start = nextAt(lines, 0, /^##\s+.+$/su); start < lines.text.length;) {
    const end = nextAt(lines, start + 1, /^##\s+.+$/su);
    sections.push({
      title: (lines.text[start] ?? '').replace(SECTION, '').trim(),
      line: start + 1,
      body: sliceLines(lines, start + 1, end),
    });
    start = end;
  }
  return sections;
};

/** The line break that most lines of `text` end with; undefined for text of one line. */
export const lineBreakOf = (text: string): '\r\n' | '\n' | undefined => {
  const crlf = text.split('\r\n').length - 1;
  const lf = text.split('\n').length - 1 - crlf;
  if (crlf === 0 && lf === 0) return undefined;
  return crlf >= lf ? '\r\n' : '\n';
};

/** Text with line feeds, written with the line breaks of `model`. */
export const withLineBreaksOf = (text: string, model: string): string =>
  model.includes('\r\n') && lineBreakOf(model) === '\r\n' ? text.replaceAll('\n', '\r\n') : text;

/** Several blank lines become one, but not inside fences, where they are somebody's sample. */
export const collapseBlankRuns = (text: string): string => {
  if (!`\n${text}\n`.includes('\n\n\n')) return text;
  const lines = linesOf(text.split('\n'));
  const isBlank = (index: number): boolean => lines.text[index] === '' && lines.fenced[index] === false;
  return lines.text.filter((_, index) => !(isBlank(index) && isBlank(index - 1))).join('\n');
};
