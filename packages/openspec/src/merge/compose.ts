import { collapseBlankRuns, linesOf, nextAt, normalise } from '../grammar/markdown.ts';
import type { Requirement } from '../grammar/requirement.ts';
import type { SpecParts } from '../grammar/spec.ts';

/** The file anew: what stood around the requirements stays, one blank line between the parts. */
export const compose = (parts: SpecParts, blocks: readonly string[]): string => {
  const body = [parts.preamble.trim() === '' ? '' : parts.preamble, ...blocks].filter((part) => part !== '');
  const all = [parts.before, parts.heading, body.join('\n\n').trimEnd(), parts.after];
  return `${collapseBlankRuns(all.filter((part) => part !== '').join('\n\n')).trimEnd()}\n`;
};

/**
 * Heading of a note that a requirement had swallowed (everything up to the next requirement belongs to it) and that its
 * replacement no longer has.
 */
export const lostTail = (original: Requirement, block: Requirement | undefined): string | undefined => {
  if (block === original) return undefined;
  const lines = linesOf(original.raw.split('\n'));
  const at = nextAt(lines, 1, /^ {0,3}#{1,3}(?:[ \t]|$)/u);
  if (at === lines.text.length) return undefined;
  const tail = normalise(lines.text.slice(at).join('\n')).trim();
  const copies = (text: string): number => normalise(text).split(tail).length;
  return block !== undefined && copies(block.raw) >= copies(original.raw) ? undefined : lines.text[at]?.trim();
};
