export type Inline =
  | { readonly kind: 'text' | 'code' | 'strong' | 'emphasis'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly href: string };

/** One alternative per construct, each bounded to one line and without nested repetition: linear in the input. */
const INLINE =
  /(`+)([^`\n]+)\1|\*\*([^*\n]+)\*\*|__([^_\n]+)__|(?<![\w*])\*([^*\s][^*\n]*)\*(?!\w)|\[([^\]\n]{1,400})\]\(([^()\s]{1,2000})\)/g;

/** Only links that lead to the web become links: `javascript:` and relative paths stay text. */
const isWebLink = (href: string): boolean => /^https?:\/\//i.test(href);

/** The text of a block → its parts. */
export const parseInline = (text: string): readonly Inline[] => {
  const parts: Inline[] = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    const [whole, , code, strong, strongToo, emphasis, label, href] = match;
    if (match.index > at) parts.push({ kind: 'text', text: text.slice(at, match.index) });
    at = match.index + whole.length;
    if (code !== undefined) parts.push({ kind: 'code', text: code });
    else if (strong !== undefined || strongToo !== undefined)
      parts.push({ kind: 'strong', text: strong ?? strongToo ?? '' });
    else if (emphasis !== undefined) parts.push({ kind: 'emphasis', text: emphasis });
    else if (label !== undefined && href !== undefined && isWebLink(href))
      parts.push({ kind: 'link', text: label, href });
    else parts.push({ kind: 'text', text: whole });
  }
  if (at < text.length) parts.push({ kind: 'text', text: text.slice(at) });
  return parts;
};
