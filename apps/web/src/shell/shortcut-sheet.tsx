import { X } from 'lucide-react';
import { IconButton } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Keys } from '../ui/keys.tsx';
import type { Action } from './actions.ts';

const ALWAYS: readonly (readonly [keys: string, title: string])[] = [
  ['⌘K', 'Search or act (Ctrl K elsewhere)'],
  ['/', 'Search the changes'],
  ['j', 'Next row in a list or tree'],
  ['k', 'Row before'],
  ['Enter', 'Open the row'],
  ['← →', 'Close and open a branch of the tree'],
  ['Esc', 'Close the panel'],
];

/** Every key that does something on this page. */
export const ShortcutSheet = ({
  actions,
  onClose,
}: {
  readonly actions: readonly Action[];
  readonly onClose: () => void;
}) => {
  const rows = [
    ...ALWAYS,
    ...actions.flatMap((action) => (action.keys === undefined ? [] : [[action.keys, action.title] as const])),
  ];
  return (
    <Dialog label="Keyboard shortcuts" onClose={onClose}>
      <header className="flex h-12 items-center justify-between border-b border-line pr-2 pl-4">
        <h2 className="text-base font-semibold">Keyboard shortcuts</h2>
        <IconButton label="Close" onClick={onClose}>
          <X size={16} aria-hidden />
        </IconButton>
      </header>
      <dl className="grid max-h-[60vh] gap-x-8 gap-y-1 overflow-y-auto p-4 sm:grid-cols-2">
        {rows.map(([keys, title]) => (
          <div key={`${keys}${title}`} className="flex h-7 items-center justify-between gap-3">
            <dt className="truncate text-ink-2">{title}</dt>
            <dd>
              <Keys keys={keys} />
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
};
