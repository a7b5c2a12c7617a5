import type { McpToolResult } from '@cloutagent/contract';

/**
 * Characters of text that a model is shown of one result: some 20,000 tokens, which every later turn pays again. Less than the
 * agent's own bound, so that what was cut is said once.
 */
const MAX_CHARACTERS = 80_000;

/** Keeps a text that was too long to be shown, and says where. */
export type Spill = (text: string, name: { readonly server: string; readonly tool: string }) => Promise<string>;

const textOf = (item: Readonly<Record<string, unknown>>): string | undefined =>
  item['type'] === 'text' && typeof item['text'] === 'string' ? item['text'] : undefined;

/** Never inside a surrogate pair. */
const cut = (text: string, length: number): string => {
  const head = text.slice(0, length);
  return /[\uD800-\uDBFF]$/u.test(head) ? head.slice(0, -1) : head;
};

/** Cuts the texts of a result that are too long together; the whole is kept in a file where there is one. */
export const capOutput = async (
  result: McpToolResult,
  name: { readonly server: string; readonly tool: string },
  spill: Spill | undefined,
): Promise<McpToolResult> => {
  const texts = result.content.flatMap((item) => textOf(item) ?? []);
  const total = texts.reduce((sum, text) => sum + text.length, 0);
  if (total <= MAX_CHARACTERS) return result;
  let left = MAX_CHARACTERS;
  let shown = 0;
  const content: Readonly<Record<string, unknown>>[] = [];
  for (const item of result.content) {
    const text = textOf(item);
    if (text === undefined) content.push(item);
    else {
      const head = cut(text, left);
      // What follows a cut would look as if it came right after it.
      left = head.length < text.length ? 0 : left - head.length;
      shown += head.length;
      if (head !== '') content.push({ ...item, text: head });
    }
  }
  const kept = spill === undefined ? '' : ` The whole is kept in ${await spill(texts.join('\n'), name)}.`;
  content.push({
    type: 'text',
    text: `[${total - shown} of ${total} characters were cut off; ask for a smaller part.${kept}]`,
  });
  return { ...result, content };
};
