import { Search } from 'lucide-react';
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { cx } from '../ui/class-names.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Keys } from '../ui/keys.tsx';
import { filterActions, type Action, type Effect } from './actions.ts';

/** Rows that are drawn; a person types on rather than scrolls on. */
const MAX_ROWS = 60;

interface PaletteProps {
  readonly actions: readonly Action[];
  readonly onClose: () => void;
  readonly perform: (effect: Effect) => void;
}

/** Reaches every change, run and action by typing (ARIA pattern: combobox with a list). */
export const Palette = ({ actions, onClose, perform }: PaletteProps) => {
  const id = useId();
  const [query, setQuery] = useState('');
  const [index, setIndex] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const found = useMemo(() => filterActions(actions, query).slice(0, MAX_ROWS), [actions, query]);
  const active = Math.min(index, found.length - 1);

  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [active]);

  const choose = (action: Action | undefined) => {
    if (action === undefined) return;
    onClose();
    perform(action.effect);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      Home: 0,
      End: found.length - 1,
    };
    const next = moves[event.key];
    if (event.key === 'Enter') choose(found[active]);
    else if (next !== undefined && found.length > 0) setIndex((next + found.length) % found.length);
    else return;
    event.preventDefault();
  };

  return (
    <Dialog label="Search or act" onClose={onClose}>
      <div className="flex items-center gap-2.5 border-b border-line px-4">
        <Search size={16} aria-hidden className="text-ink-3" />
        <input
          role="combobox"
          aria-label="Search changes, runs and actions"
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-activedescendant={found[active] === undefined ? undefined : `${id}-${active}`}
          value={query}
          placeholder="Search changes, runs and actions"
          onChange={(event) => {
            setQuery(event.target.value);
            setIndex(0);
          }}
          onKeyDown={onKeyDown}
          className="h-12 w-full bg-transparent text-base outline-none placeholder:text-ink-3"
        />
      </div>
      <ul
        ref={list}
        id={`${id}-list`}
        role="listbox"
        aria-label="Results"
        className="max-h-[min(420px,60vh)] overflow-y-auto p-2"
      >
        {found.map((action, position) => (
          <li
            key={action.id}
            id={`${id}-${position}`}
            role="option"
            aria-selected={position === active}
            onPointerMove={() => setIndex(position)}
            onClick={() => choose(action)}
            className={cx(
              'flex h-9 cursor-pointer items-center gap-2 rounded-md px-2.5',
              position === active && 'bg-accent-soft',
            )}
          >
            <span className="truncate">{action.title}</span>
            {action.note === undefined ? null : (
              <span className="truncate font-mono text-2xs text-ink-3">{action.note}</span>
            )}
            <span className="ml-auto flex shrink-0 items-center gap-2 text-2xs text-ink-3">
              {action.group}
              {action.keys === undefined ? null : <Keys keys={action.keys} />}
            </span>
          </li>
        ))}
      </ul>
      {found.length > 0 ? null : <p className="px-4 pb-6 text-center text-ink-3">Nothing is called that</p>}
      <p role="status" className="sr-only">
        {found.length} results
      </p>
    </Dialog>
  );
};
