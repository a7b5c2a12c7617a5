import { Check, Copy } from 'lucide-react';
import { useState } from 'react';
import { IconButton } from './button.tsx';

/** How long the tick stays after a copy. */
const COPIED_MS = 1_500;

/** A command to paste into a terminal, with a button that copies it. */
export const CommandLine = ({ command }: { readonly command: string }) => {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(command);
      setCopied(true);
      setTimeout(() => setCopied(false), COPIED_MS);
    } catch {
      // Without the permission to copy, the text can still be selected.
    }
  };
  return (
    <span className="flex min-w-0 items-center gap-1 rounded-md border border-line bg-sunken pl-2.5 text-left">
      <code className="min-w-0 flex-1 overflow-x-auto py-1.5 font-mono text-xs whitespace-nowrap text-ink">
        {command}
      </code>
      <IconButton label={copied ? 'Copied' : 'Copy command'} onClick={() => void copy()}>
        {copied ? <Check size={14} aria-hidden className="text-ok" /> : <Copy size={14} aria-hidden />}
      </IconButton>
    </span>
  );
};
