/** The part of Markdown that specs are written in. What is not known stays visible as text; HTML is always text. */
export type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly text: string }
  | { readonly kind: 'paragraph'; readonly text: string }
  | { readonly kind: 'code'; readonly language: string; readonly text: string }
  | { readonly kind: 'quote'; readonly blocks: readonly Block[] }
  | { readonly kind: 'list'; readonly ordered: boolean; readonly items: readonly ListItem[] }
  | { readonly kind: 'rule' };

export interface ListItem {
  readonly text: string;
  /** Undefined where the item has no checkbox. */
  readonly checked: boolean | undefined;
  readonly blocks: readonly Block[];
}

const FENCE = /^\s{0,3}(```+|~~~+)\s*([^\s`]*)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)(?:\s+#+)?\s*$/;
const RULE = /^ {0,3}(?:-{3,}|\*{3,}|_{3,})\s*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const CHECKBOX = /^\[([ xX])\]\s+(.*)$/;
/** Nesting of lists and quotes that is followed; deeper is shown as text, so that no input can exhaust the stack. */
const MAX_DEPTH = 12;

interface Taken {
  readonly block: Block;
  /** Index of the first line that was not taken. */
  readonly next: number;
}

const takeCode = (lines: readonly string[], at: number, fence: string, language: string): Taken => {
  let end = at + 1;
  while (end < lines.length && !(lines[end] ?? '').trim().startsWith(fence)) end += 1;
  return { block: { kind: 'code', language, text: lines.slice(at + 1, end).join('\n') }, next: end + 1 };
};

const takeQuote = (lines: readonly string[], at: number, depth: number): Taken => {
  let end = at;
  while (end < lines.length && /^\s{0,3}>/.test(lines[end] ?? '')) end += 1;
  const inner = lines.slice(at, end).map((line) => line.replace(/^\s{0,3}> ?/, ''));
  return { block: { kind: 'quote', blocks: parseLines(inner, depth + 1) }, next: end };
};

const indentOf = (line: string): number => line.length - line.trimStart().length;

const toItem = (first: string, rest: readonly string[], depth: number): ListItem => {
  const box = CHECKBOX.exec(first);
  const lazy = rest.findIndex((line) => line.trim() === '' || ITEM.test(line) || FENCE.test(line));
  const split = lazy < 0 ? rest.length : lazy;
  const text = [box?.[2] ?? first, ...rest.slice(0, split).map((line) => line.trim())].join(' ');
  const below = rest.slice(split);
  const indent = Math.min(...below.filter((line) => line.trim() !== '').map(indentOf), 80);
  return {
    text,
    checked: box === null ? undefined : box[1] !== ' ',
    blocks: parseLines(
      below.map((line) => line.slice(indent)),
      depth + 1,
    ),
  };
};

const takeList = (lines: readonly string[], at: number, depth: number): Taken => {
  const items: ListItem[] = [];
  const first = ITEM.exec(lines[at] ?? '');
  const indent = first?.[1]?.length ?? 0;
  const ordered = /\d/.test(first?.[2] ?? '');
  let next = at;
  while (next < lines.length) {
    const match = ITEM.exec(lines[next] ?? '');
    if (match === null || (match[1]?.length ?? 0) > indent + 1 || /\d/.test(match[2] ?? '') !== ordered) break;
    let end = next + 1;
    while (end < lines.length) {
      const line = lines[end] ?? '';
      if (line.trim() === '') {
        const after = lines[end + 1] ?? '';
        if (after.trim() === '' || indentOf(after) <= indent) break;
      } else if (
        indentOf(line) <= indent &&
        (ITEM.test(line) || HEADING.test(line) || FENCE.test(line) || RULE.test(line))
      )
        break;
      end += 1;
    }
    items.push(toItem(match[3] ?? '', lines.slice(next + 1, end), depth));
    next = end;
    // One empty line may part the items of a list.
    if ((lines[next] ?? '').trim() === '' && ITEM.test(lines[next + 1] ?? '')) next += 1;
  }
  return { block: { kind: 'list', ordered, items }, next };
};

const takeParagraph = (lines: readonly string[], at: number): Taken => {
  let end = at + 1;
  while (end < lines.length) {
    const line = lines[end] ?? '';
    if (
      line.trim() === '' ||
      HEADING.test(line) ||
      FENCE.test(line) ||
      RULE.test(line) ||
      ITEM.test(line) ||
      /^\s{0,3}>/.test(line)
    )
      break;
    end += 1;
  }
  return {
    block: {
      kind: 'paragraph',
      text: lines
        .slice(at, end)
        .map((line) => line.trim())
        .join('\n'),
    },
    next: end,
  };
};

const takeBlock = (lines: readonly string[], at: number, depth: number): Taken => {
  const line = lines[at] ?? '';
  const fence = FENCE.exec(line);
  if (fence !== null) return takeCode(lines, at, fence[1] ?? '```', fence[2] ?? '');
  const heading = HEADING.exec(line);
  if (heading !== null)
    return { block: { kind: 'heading', level: heading[1]?.length ?? 1, text: heading[2] ?? '' }, next: at + 1 };
  if (RULE.test(line)) return { block: { kind: 'rule' }, next: at + 1 };
  if (depth < MAX_DEPTH && /^\s{0,3}>/.test(line)) return takeQuote(lines, at, depth);
  if (depth < MAX_DEPTH && ITEM.test(line)) return takeList(lines, at, depth);
  return takeParagraph(lines, at);
};

const parseLines = (lines: readonly string[], depth: number): readonly Block[] => {
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    if ((lines[at] ?? '').trim() === '') {
      at += 1;
      continue;
    }
    const { block, next } = takeBlock(lines, at, depth);
    blocks.push(block);
    at = Math.max(next, at + 1);
  }
  return blocks;
};

/** Markdown → blocks. HTML comments, which templates use as hints, are left out. */
export const parseMarkdown = (markdown: string): readonly Block[] =>
  parseLines(markdown.replaceAll(/<!--[\s\S]*?(?:-->|$)/g, '').split(/\r\n|\n|\r/), 0);
