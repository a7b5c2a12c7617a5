import { Square, SquareCheck } from 'lucide-react';
import { Fragment, useMemo } from 'react';
import { parseInline } from './inline.ts';
import { parseMarkdown, type Block } from './parse.ts';

const InlineText = ({ text }: { readonly text: string }) =>
  parseInline(text).map((part, index) => {
    switch (part.kind) {
      case 'code':
        return (
          <code key={index} className="rounded bg-sunken px-1 py-px font-mono text-[0.92em]">
            {part.text}
          </code>
        );
      case 'strong':
        return (
          <strong key={index} className="font-semibold text-ink">
            {part.text}
          </strong>
        );
      case 'emphasis':
        return <em key={index}>{part.text}</em>;
      case 'link':
        return (
          <a
            key={index}
            href={part.href}
            target="_blank"
            rel="noreferrer noopener"
            className="text-accent underline underline-offset-2"
          >
            {part.text}
          </a>
        );
      default:
        return <Fragment key={index}>{part.text}</Fragment>;
    }
  });

const HEADINGS: readonly string[] = [
  'text-lg font-semibold text-ink',
  'text-base font-semibold text-ink border-b border-line pb-1.5',
  'text-sm font-semibold text-ink',
  'text-sm font-medium text-ink-2',
];

const Heading = ({ level, text }: { readonly level: number; readonly text: string }) => {
  // The page has its own h1 and the section its h2, so a document's headings begin at h3.
  const Tag = (['h3', 'h4', 'h5', 'h6'] as const)[Math.min(level, 4) - 1] ?? 'h6';
  return (
    <Tag className={`mt-5 first:mt-0 ${HEADINGS[Math.min(level, 4) - 1] ?? ''}`}>
      <InlineText text={text} />
    </Tag>
  );
};

const List = ({ block }: { readonly block: Extract<Block, { kind: 'list' }> }) => {
  const Tag = block.ordered ? 'ol' : 'ul';
  return (
    <Tag className={`flex flex-col gap-1 pl-5 ${block.ordered ? 'list-decimal' : 'list-disc'} marker:text-ink-3`}>
      {block.items.map((item, index) => (
        <li key={index} className={item.checked === undefined ? '' : '-ml-5 list-none'}>
          {item.checked === undefined ? null : (
            <span
              role="img"
              aria-label={item.checked ? 'done' : 'open'}
              className="mr-1.5 inline-block align-[-2px] text-ink-3"
            >
              {item.checked ? <SquareCheck size={14} aria-hidden /> : <Square size={14} aria-hidden />}
            </span>
          )}
          <InlineText text={item.text} />
          {item.blocks.length === 0 ? null : (
            <div className="mt-1 flex flex-col gap-2">
              <Blocks blocks={item.blocks} />
            </div>
          )}
        </li>
      ))}
    </Tag>
  );
};

const Blocks = ({ blocks }: { readonly blocks: readonly Block[] }) =>
  blocks.map((block, index) => {
    switch (block.kind) {
      case 'heading':
        return <Heading key={index} level={block.level} text={block.text} />;
      case 'code':
        return (
          <pre key={index} className="overflow-x-auto rounded-md border border-line bg-sunken p-3 font-mono text-xs">
            <code>{block.text}</code>
          </pre>
        );
      case 'quote':
        return (
          <blockquote key={index} className="flex flex-col gap-2 border-l-2 border-line-strong pl-3 text-ink-2">
            <Blocks blocks={block.blocks} />
          </blockquote>
        );
      case 'list':
        return <List key={index} block={block} />;
      case 'rule':
        return <hr key={index} className="border-line" />;
      default:
        return (
          <p key={index} className="break-words whitespace-pre-line">
            <InlineText text={block.text} />
          </p>
        );
    }
  });

/** Markdown as React elements: nothing in it can become markup of its own. */
export const Markdown = ({ text }: { readonly text: string }) => {
  const blocks = useMemo(() => parseMarkdown(text), [text]);
  return (
    <div className="flex flex-col gap-2.5 text-ink-2">
      <Blocks blocks={blocks} />
    </div>
  );
};
